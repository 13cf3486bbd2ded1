import numpy as np
import torch

from creativeai.models.layers.standardiser import Standardiser


def test_features_of_all_arrays_together_get_mean_0_and_deviation_1() -> None:
    rng = np.random.default_rng(0)
    parts = [(rng.normal(size=(3000, 4)) * [1, 5, 0.1, 0] + [0, 9, -4, 2]).astype(np.float16) for _ in "ab"]
    parts[1] = parts[1] * np.float16(2)
    standardise = Standardiser(4)
    standardise.fit(parts)
    x = standardise(torch.from_numpy(np.concatenate(parts).astype(np.float32)))
    torch.testing.assert_close(x.mean(0), torch.zeros(4), atol=1e-2, rtol=0)
    torch.testing.assert_close(x[:, :3].std(0), torch.ones(3), atol=1e-2, rtol=0)


def test_a_feature_that_never_changes_stays_finite() -> None:
    standardise = Standardiser(1)
    standardise.fit([np.full((5, 1), 7.0)])
    assert standardise(torch.tensor([[7.0]])).item() == 0
    assert standardise(torch.tensor([[8.0]])).isfinite().all()


def test_training_batches_do_not_move_it() -> None:
    standardise = Standardiser(2).train()
    first = standardise(torch.ones(3, 2))
    standardise(torch.randn(50, 2) * 9)
    assert torch.equal(standardise(torch.ones(3, 2)), first)

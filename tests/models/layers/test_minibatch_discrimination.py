import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.virtual_batch_norm import reference_rows


def written_out(layer: MinibatchDiscrimination, features: Tensor) -> np.ndarray:
    """The paper's sums, one by one, without the example itself."""
    weight = layer.weight.detach().numpy().T.reshape(-1, layer.num_kernels, layer.kernel_dim)  # T: A x B x C
    matrices = np.einsum("ia,abc->ibc", features.detach().numpy(), weight)
    out = np.zeros((len(features), layer.num_kernels))
    for i in range(len(features)):
        for b in range(layer.num_kernels):
            for j in range(len(features)):
                if i != j:
                    out[i, b] += np.exp(-np.abs(matrices[i, b] - matrices[j, b]).sum())
    return out


def test_it_is_the_formula() -> None:
    layer, features = MinibatchDiscrimination(6, 4, 3).double(), torch.randn(5, 6, dtype=torch.double)
    assert layer(features).shape == (5, 4)
    np.testing.assert_allclose(layer(features).detach().numpy(), written_out(layer, features), rtol=1e-10)


def test_derivative_is_right() -> None:
    layer = MinibatchDiscrimination(4, 2, 3).double()
    features = torch.randn(3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (features,))


def test_a_collapsed_batch_counts_the_others_and_a_single_example_has_none() -> None:
    layer = MinibatchDiscrimination(6, 4)
    same = torch.randn(1, 6).expand(5, 6)
    torch.testing.assert_close(layer(same), torch.full((5, 4), 4.0))
    assert torch.equal(layer(same[:1]), torch.zeros(1, 4))
    # Far apart, but not so far that the count of the example itself would hide the others.
    nn.init.constant_(layer.weight, 0.1)
    pair = torch.stack([torch.zeros(6), torch.full((6,), 6.0)])
    torch.testing.assert_close(layer(pair), torch.full((2, 4), float(np.exp(-18.0))), rtol=1e-4, atol=0)


def test_it_starts_where_distances_have_a_slope_however_many_features() -> None:
    for num_features in (64, 8192):
        closeness = MinibatchDiscrimination(num_features, 20)(torch.randn(9, num_features)) / 8
        assert 0.1 < closeness.mean() < 0.6


def test_reference_and_batch_do_not_see_each_other() -> None:
    layer, features = MinibatchDiscrimination(6, 4), torch.randn(7, 6)
    with reference_rows(layer, 3):
        together = layer(features)
    torch.testing.assert_close(together, torch.cat([layer(features[:3]), layer(features[3:])]))
    assert not torch.allclose(together, layer(features))


def test_bfloat16_comes_out_in_single_precision() -> None:
    layer = MinibatchDiscrimination(6, 4)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(torch.randn(5, 6).bfloat16())
    assert out.dtype == torch.float32


WORKER = """
import sys
from datetime import timedelta
import torch
import torch.distributed as dist
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination

rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2, timeout=timedelta(seconds=60)
)
given = torch.load(f"{folder}/given.pt", weights_only=True)
layer = MinibatchDiscrimination(6, 4, 3)
layer.load_state_dict({"weight": given["weight"]})
features = given["features"][3 * rank : 3 * rank + 3].requires_grad_()
out = layer(features)
out.square().sum().backward()
torch.save({"out": out.detach(), "gradient": features.grad}, f"{folder}/{rank}.pt")
dist.destroy_process_group()
"""


def test_in_two_processes_it_sees_the_examples_of_both(tmp_path: Path) -> None:
    """Two real processes that talk by gloo; each has half of the batch."""
    layer, features = MinibatchDiscrimination(6, 4, 3), torch.randn(6, 6)
    torch.save({"weight": layer.weight.detach(), "features": features}, tmp_path / "given.pt")
    command = [sys.executable, "-c", WORKER]
    workers = [subprocess.Popen([*command, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [worker.wait(timeout=100) for worker in workers] == [0, 0]

    whole = layer(features).detach()
    assert not torch.allclose(whole[:3], layer(features[:3]))
    for rank in range(2):
        result = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        ours = slice(3 * rank, 3 * rank + 3)
        torch.testing.assert_close(result["out"], whole[ours])
        # The gradient is that of all outputs by our examples.
        everyone = features.clone().requires_grad_()
        layer(everyone).square().sum().backward()
        assert everyone.grad is not None
        torch.testing.assert_close(result["gradient"], everyone.grad[ours])

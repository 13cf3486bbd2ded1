import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from creativeai.recipes.encoders.joint_embedding import Compatibility, joint_embedding_loss


def codes(num: int, dim: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(num, dim), torch.randn(num, dim)


def one_direction(
    queries: NDArray[np.float64], candidates: NDArray[np.float64], labels: list[int], margin: float
) -> float:
    """The paper's hinge, each class being represented by the mean of its candidates."""
    classes = sorted(set(labels))
    means = {
        wanted: np.mean(
            [code for code, label in zip(candidates, labels, strict=True) if label == wanted], axis=0
        )
        for wanted in classes
    }
    total = 0.0
    for query, label in zip(queries, labels, strict=True):
        for other in classes:
            if other != label:
                total += max(0.0, margin + query @ means[other] - query @ means[label])
    return total / (len(queries) * len(classes))


@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 4], [7, 3, 7, 7, 3], [1, 2, 2, 5, 9]])
def test_class_compatibility_is_the_formula_written_out(labels: list[int]) -> None:
    images, texts = codes(5)
    ours = joint_embedding_loss(images, texts, torch.tensor(labels), "class", margin=0.8)
    arrays = images.double().numpy(), texts.double().numpy()
    assert ours[0].item() == pytest.approx(one_direction(*arrays, labels, 0.8), rel=1e-5)
    assert ours[1].item() == pytest.approx(one_direction(*arrays[::-1], labels, 0.8), rel=1e-5)


def test_sample_compatibility_is_the_formula_written_out() -> None:
    images, texts = codes(5)
    labels = [3, 1, 3, 2, 1]
    scores = images.double().numpy() @ texts.double().numpy().T
    expected = [0.0, 0.0]
    for i in range(5):
        for j in range(5):
            if labels[i] != labels[j]:
                expected[0] += max(0.0, 1 + scores[i, j] - scores[i, i]) / 25
                expected[1] += max(0.0, 1 + scores[j, i] - scores[i, i]) / 25
    ours = joint_embedding_loss(images, texts, torch.tensor(labels), "sample")
    assert [loss.item() for loss in ours] == pytest.approx(expected, rel=1e-5)


def test_both_are_the_same_where_each_class_stands_once() -> None:
    images, texts = codes(6)
    labels = torch.tensor([4, 2, 0, 9, 7, 5])
    for ours, theirs in zip(
        joint_embedding_loss(images, texts, labels, "class"),
        joint_embedding_loss(images, texts, labels, "sample"),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("compatibility", ["class", "sample"])
def test_one_class_costs_nothing_and_gives_finite_gradients(compatibility: Compatibility) -> None:
    images, texts = (code.requires_grad_() for code in codes(3))
    losses = joint_embedding_loss(images, texts, torch.zeros(3, dtype=torch.int64), compatibility)
    assert [loss.item() for loss in losses] == [0, 0]
    sum(losses).backward()
    assert images.grad is not None and not images.grad.any()
    assert texts.grad is not None and not texts.grad.any()


def test_what_is_ahead_by_the_margin_costs_nothing() -> None:
    identity = 2 * torch.eye(4)
    losses = joint_embedding_loss(identity, identity, torch.arange(4), margin=3.9)
    assert [loss.item() for loss in losses] == [0, 0]
    losses = joint_embedding_loss(identity, identity, torch.arange(4), margin=5)
    assert [loss.item() for loss in losses] == pytest.approx([12 / 16] * 2)

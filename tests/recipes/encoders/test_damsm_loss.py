import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.recipes.encoders.damsm_loss import Gammas, damsm_losses, word_similarities

GAMMAS = Gammas(4.0, 5.0, 10.0)
LENGTHS = (3, 1, 5, 2)
LABELS = torch.tensor([0, 1, 0, 2])


def inputs(scale: float = 1.0) -> dict[str, Tensor]:
    mask = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
    return {
        "regions": torch.randn(4, 6, 2, 3) * scale,
        "global_code": torch.randn(4, 6),
        "words": torch.randn(4, 5, 6) * scale * mask[:, :, None],
        "sentence": torch.randn(4, 6),
        "mask": mask,
    }


def softmax(x: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    exponential = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponential / exponential.sum(axis=axis, keepdims=True)


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def written_out(
    given: dict[str, Tensor], labels: list[int]
) -> tuple[float, float, list[NDArray[np.float64]]]:
    """Equations 7 to 13 of the paper for one pair after the other, without the 1 / gamma2 of equation 10."""
    arrays = {name: value.double().numpy() for name, value in given.items()}
    num = len(labels)
    word_scores, sentence_scores = np.zeros((2, num, num))
    maps = []
    for i in range(num):  # picture
        regions = arrays["regions"][i].reshape(6, -1)  # [D, N]
        for j in range(num):  # caption
            words = arrays["words"][j, : LENGTHS[j]]  # [L, D]
            shares = softmax(words @ regions, axis=0)
            attention = softmax(GAMMAS.attention * shares, axis=1)
            seen = attention @ regions.T
            fits = [cosine(word, context) for word, context in zip(words, seen, strict=True)]
            word_scores[i, j] = np.log(np.exp(GAMMAS.words * np.array(fits)).sum())
            sentence_scores[i, j] = cosine(arrays["global_code"][i], arrays["sentence"][j])
            if i == j:
                maps.append(attention.reshape(-1, 2, 3))

    def both(scores: NDArray[np.float64]) -> float:
        total = 0.0
        for matrix in (scores, scores.T):
            for i in range(num):
                logits = [GAMMAS.batch * matrix[i, j] for j in range(num) if j == i or labels[j] != labels[i]]
                total += np.log(np.exp(logits).sum()) - GAMMAS.batch * matrix[i, i]
        return total / num

    return both(word_scores), both(sentence_scores), maps


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 1, 0, 2]])
def test_losses_and_maps_are_the_formulas_written_out(labels: list[int]) -> None:
    given = inputs()
    losses = damsm_losses(**given, labels=torch.tensor(labels), gammas=GAMMAS)
    words, sentence, maps = written_out(given, labels)
    assert losses.words.item() == pytest.approx(words, rel=1e-4)
    assert losses.sentence.item() == pytest.approx(sentence, rel=1e-4)
    assert losses.attention.shape == (4, 5, 2, 3)
    for ours, theirs, length in zip(losses.attention, maps, LENGTHS, strict=True):
        np.testing.assert_allclose(ours[:length], theirs, rtol=1e-4)
        assert not ours[length:].any()


def test_padding_changes_nothing() -> None:
    given = inputs()
    plain = damsm_losses(**given, labels=LABELS, gammas=GAMMAS)
    longer = dict(given)
    longer["words"] = torch.cat([given["words"], torch.zeros(4, 4, 6)], dim=1)
    # What stands in the padding doesn't matter either.
    longer["words"][~torch.cat([given["mask"], torch.zeros(4, 4, dtype=torch.bool)], 1)] = 7.0
    longer["mask"] = torch.cat([given["mask"], torch.zeros(4, 4, dtype=torch.bool)], dim=1)
    padded = damsm_losses(**longer, labels=LABELS, gammas=GAMMAS)
    torch.testing.assert_close(padded.words, plain.words)
    torch.testing.assert_close(padded.attention[:, :5], plain.attention)


def test_a_caption_alone_has_the_similarity_it_has_among_others() -> None:
    given = inputs()
    together, _ = word_similarities(given["regions"], given["words"], given["mask"], GAMMAS)
    for i, length in enumerate(LENGTHS):
        row = slice(i, i + 1)
        alone, _ = word_similarities(
            given["regions"][row], given["words"][row, :length], given["mask"][row, :length], GAMMAS
        )
        torch.testing.assert_close(alone[0, 0], together[i, i])


def test_gradient_reaches_pictures_and_words() -> None:
    given = {name: value.requires_grad_(value.is_floating_point()) for name, value in inputs().items()}
    losses = damsm_losses(**given, labels=LABELS, gammas=GAMMAS)
    (losses.words + losses.sentence).backward()
    for name in ("regions", "global_code", "words", "sentence"):
        grad = given[name].grad
        assert grad is not None and grad.isfinite().all() and grad.abs().sum() > 0, name
    assert not given["words"].grad[~given["mask"]].any()


def test_gradient_is_that_of_the_formula() -> None:
    given = {
        name: value.double().requires_grad_() if value.is_floating_point() else value
        for name, value in inputs(0.5).items()
    }

    def by_regions(regions: Tensor) -> Tensor:
        similarities, _ = word_similarities(regions, given["words"], given["mask"], GAMMAS)
        return similarities

    assert torch.autograd.gradcheck(by_regions, (given["regions"],))


def test_batch_of_one_class_costs_nothing_and_gives_finite_gradients() -> None:
    """Every wrong caption is masked, which in the published code made NaN of the whole run."""
    given = {name: value.requires_grad_(value.is_floating_point()) for name, value in inputs().items()}
    losses = damsm_losses(**given, labels=torch.zeros(4, dtype=torch.int64), gammas=GAMMAS)
    assert losses.words.item() == losses.sentence.item() == 0
    (losses.words + losses.sentence).backward()
    for name in ("regions", "global_code", "words", "sentence"):
        assert given[name].grad is not None and not given[name].grad.any()


def test_batch_of_one_picture_costs_nothing() -> None:
    given = {name: value[:1] for name, value in inputs().items()}
    losses = damsm_losses(**given, labels=LABELS[:1], gammas=GAMMAS)
    assert losses.words.item() == losses.sentence.item() == 0


def test_autocast_does_not_blur_the_losses() -> None:
    given = inputs()
    plain = damsm_losses(**given, labels=LABELS, gammas=GAMMAS)
    with torch.autocast("cpu", torch.bfloat16):
        cast = damsm_losses(**given, labels=LABELS, gammas=GAMMAS)
    assert torch.equal(cast.words, plain.words) and torch.equal(cast.sentence, plain.sentence)


def test_large_vectors_stay_finite() -> None:
    given = inputs(scale=300.0)
    losses = damsm_losses(**given, labels=LABELS, gammas=GAMMAS)
    assert losses.words.isfinite() and losses.attention.isfinite().all()

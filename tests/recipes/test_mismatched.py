from dataclasses import replace

import torch
from torch import Tensor

from creativeai.models.conditioning import sentence_tensors
from creativeai.recipes.contract import Batch
from creativeai.recipes.mismatched import mismatched_sentences

SIZE = 400


def batch_of(has_swap: Tensor) -> Batch:
    """Own sentences are 0, those of others 1, swapped ones 2."""
    sentence = torch.zeros(SIZE, 3)
    return Batch(
        images=torch.zeros(SIZE, 3, 4, 4),
        text=sentence_tensors(sentence),
        mismatched_sentence=sentence + 1,
        labels=torch.arange(SIZE),
        noise=torch.zeros(SIZE, 2),
        num_seen=0,
        swapped_text=sentence_tensors(sentence + 2),
        has_swap=has_swap,
    )


def test_share_of_those_that_have_one_is_swapped() -> None:
    has_swap = torch.arange(SIZE) % 2 == 0
    torch.manual_seed(0)
    sentences = mismatched_sentences(batch_of(has_swap), 0.5)
    assert set(sentences[~has_swap].unique().tolist()) == {1}
    assert (sentences[has_swap] == sentences[has_swap][:, :1]).all()
    assert 0.4 < (sentences[has_swap, 0] == 2).float().mean() < 0.6
    torch.manual_seed(0)
    assert torch.equal(mismatched_sentences(batch_of(has_swap), 0.5), sentences)


def test_all_or_none_of_them() -> None:
    batch = batch_of(torch.ones(SIZE, dtype=torch.bool))
    assert (mismatched_sentences(batch, 1.0) == 2).all()
    assert (mismatched_sentences(batch, 0.0) == 1).all()


def test_without_swapped_captions_nothing_is_drawn() -> None:
    batch = replace(batch_of(torch.ones(SIZE)), swapped_text=None, has_swap=None)
    before = torch.get_rng_state()
    assert mismatched_sentences(batch, 0.5) is batch.mismatched_sentence
    assert torch.equal(torch.get_rng_state(), before)

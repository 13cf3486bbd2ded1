import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from creativeai.models.layers.across_processes import _rows


@given(num=st.integers(1, 9), share=st.integers(1, 12))
def test_every_row_is_in_one_process(num: int, share: int) -> None:
    parts = [_rows(rank, num, num * share) for rank in range(num)]
    assert {len(part) for part in parts} == {share}
    assert torch.cat(parts).sort().values.tolist() == list(range(num * share))


@pytest.mark.parametrize("num", [1, 2, 4])
def test_halves_of_a_share_are_of_the_batchs_halves(num: int) -> None:
    for rank in range(num):
        first, second = _rows(rank, num, 16).chunk(2)
        assert torch.equal(second, first + 8)


def test_the_last_process_has_the_last_row() -> None:
    assert _rows(1, 2, 8).tolist() == [2, 3, 6, 7]
    assert _rows(1, 2, 6).tolist() == [3, 4, 5]

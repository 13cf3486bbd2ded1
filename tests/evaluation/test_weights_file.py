from pathlib import Path

import pytest
import torch

from creativeai.errors import TrainingError
from creativeai.evaluation.weights_file import read_weights, write_weights


def test_what_is_written_is_read_to_half_a_step_of_each_row(tmp_path: Path) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(80, 70) * torch.logspace(-3, 3, 80)[:, None]
    weights = {"matrix": matrix, "bias": torch.randn(80), "count": torch.tensor(7)}
    write_weights(tmp_path / "a" / "w.safetensors", weights, {"name": "x", "words": ["red"]})
    stored = read_weights(tmp_path / "a" / "w.safetensors")
    assert stored.facts == {"name": "x", "words": ["red"]}
    step = matrix.abs().amax(1, keepdim=True) / 127
    assert ((stored.weights["matrix"] - matrix).abs() <= 0.51 * step).all()
    assert stored.weights["matrix"].dtype == torch.float32
    torch.testing.assert_close(stored.weights["bias"], weights["bias"], atol=1e-3, rtol=1e-3)
    assert stored.weights["count"] == 7
    assert (tmp_path / "a" / "w.safetensors").stat().st_size < 80 * 70 + 80 * 4 + 1000
    assert len(stored.digest) == 64


def test_same_weights_give_the_same_file(tmp_path: Path) -> None:
    weights = {"b": torch.ones(3), "a": torch.zeros(2)}
    for name in ("one", "two"):
        write_weights(tmp_path / name, weights, {"name": "x"})
    assert read_weights(tmp_path / "one").digest == read_weights(tmp_path / "two").digest


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"PK\3\4" * 40, None])
def test_damaged_or_missing_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "w.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TrainingError, match=r"w\.safetensors is missing or damaged"):
        read_weights(file)

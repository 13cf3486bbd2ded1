"""`metrics.jsonl`, written and read back."""

import os
from pathlib import Path

from creativeai.training.metrics_file import append_measurement, last_measurements


def test_the_last_ones_come_oldest_first(tmp_path: Path) -> None:
    for step in range(5):
        append_measurement(tmp_path, {"step": step, "fd_lite0": 100.5 - step})
    assert last_measurements(tmp_path, 2) == [{"step": 3, "fd_lite0": 97.5}, {"step": 4, "fd_lite0": 96.5}]
    assert len(last_measurements(tmp_path, 9)) == 5


def test_none_where_nothing_was_measured(tmp_path: Path) -> None:
    assert last_measurements(tmp_path, 3) == []
    (tmp_path / "metrics.jsonl").write_bytes(b"")
    assert last_measurements(tmp_path, 3) == []


def test_half_written_and_meaningless_lines_are_left_out(tmp_path: Path) -> None:
    for step in range(3):
        append_measurement(tmp_path, {"step": step})
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(b'\xff\xfe{"step": 9}\n[1]\n' + file.read_bytes())
    append_measurement(tmp_path, {"step": 3, "fd_lite0": float("nan")})
    append_measurement(tmp_path, {"step": 4})
    os.truncate(file, file.stat().st_size - 3)
    assert [line["step"] for line in last_measurements(tmp_path, 9)] == [0, 1, 2]


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path) -> None:
    line = b'{"step": 1, "text": "' + b"x" * 1000 + b'"}\n'
    (tmp_path / "metrics.jsonl").write_bytes(line * 1500)
    append_measurement(tmp_path, {"step": 2})
    found = last_measurements(tmp_path, 10_000)
    assert 900 < len(found) < 1000
    assert found[-1] == {"step": 2}

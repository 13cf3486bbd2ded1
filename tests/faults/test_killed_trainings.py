"""Trainings killed at random moments; the script beside this does it 50 times."""

from pathlib import Path

import pytest

from creativeai.data import prepare
from faults.killed_trainings import kill_trainings

NUM_KILLS = 4


@pytest.mark.timeout(600)  # starts some ten processes, which takes a busy machine a while
def test_killed_trainings_end_like_one_that_was_not(tmp_path: Path) -> None:
    data = prepare("toybirds", tmp_path / "data", num_pictures=24, resolutions=(64,)).path
    outcome = kill_trainings(data, tmp_path, NUM_KILLS, num_steps=6, seed=0)
    assert outcome.num_killed == NUM_KILLS
    assert outcome.num_trainings >= 1

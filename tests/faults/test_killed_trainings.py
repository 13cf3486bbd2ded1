"""Trainings killed at random moments; the script beside this does it 50 times."""

from pathlib import Path

import pytest

from faults.killed_trainings import kill_trainings

NUM_KILLS = 4


@pytest.mark.timeout(600)  # starts some ten processes, which takes a busy machine a while
def test_killed_trainings_end_like_one_that_was_not(toybirds_64: Path, tmp_path: Path) -> None:
    outcome = kill_trainings(toybirds_64, tmp_path, NUM_KILLS, num_steps=6, seed=0)
    assert outcome.num_killed == NUM_KILLS
    assert outcome.num_trainings >= 1

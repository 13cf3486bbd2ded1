"""Publishers killed at random moments; the script in tests/faults does it 50 times."""

from pathlib import Path

from faults.killed_publishers import kill_publishers

NUM_KILLS = 12


def test_killed_publishers_leave_no_half_version(tmp_path: Path) -> None:
    outcome = kill_publishers(tmp_path, NUM_KILLS, seed=0)
    assert outcome.num_killed + outcome.num_finished == NUM_KILLS
    assert outcome.num_killed >= NUM_KILLS // 4, "the kills came too late to prove anything"

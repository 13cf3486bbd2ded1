import sys
from pathlib import Path

import pytest

from faults.killed_workers import kill_workers


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")
def test_server_comes_back_and_answers_are_whole(tmp_path: Path) -> None:
    outcome = kill_workers(tmp_path, num_kills=1, seed=0)
    assert (outcome.num_workers_killed, outcome.num_servers_killed) == (1, 1)
    assert outcome.num_pictures > 0

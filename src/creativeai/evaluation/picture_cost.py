"""What a picture costs: time of one core and memory, measured in a process that does nothing else.

    python -m creativeai.evaluation.picture_cost BUNDLE

It prints JSON. It imports no torch, as a server doesn't.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PictureCost", "measure_cost"]

_NUM_WARM, _NUM_TIMED = 5, 40
_SIZES = ("small", "large", "tiny", "plump")
_COLOURS = ("red", "yellow", "blue", "green", "orange", "black", "white", "brown")


@dataclass(frozen=True)
class PictureCost:
    """Of one model."""

    milliseconds: float
    """Median of one picture, its sentence read anew."""
    megabytes: float
    """Most memory that the process had in all, in 10^6 bytes."""
    num_pictures: int
    """So many were timed."""


def measure_cost(bundle: Path) -> PictureCost:
    """Draw some pictures with one thread in a process of its own.

    Raises:
        OSError: The process can't be started.
        ValueError: It failed.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "creativeai.evaluation.picture_cost", str(bundle)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return PictureCost(**json.loads(done.stdout))


def _sentences() -> list[str]:
    """Sentences of ordinary length, none twice, so that no memory of encoded text helps."""
    return [
        f"a {_SIZES[i % 4]} {_COLOURS[i % 8]} bird with {_COLOURS[(i // 8) % 8]} wings number {i}"
        for i in range(_NUM_WARM + _NUM_TIMED)
    ]


def _measured(bundle: Path) -> PictureCost:
    from creativeai.bundles import read_bundle
    from creativeai.engine.engine import Engine
    from creativeai.engine.pictures import PictureRequest

    engine = Engine(read_bundle(bundle))
    seconds = []
    for seed, sentence in enumerate(_sentences()):
        start = time.perf_counter()
        engine.generate([PictureRequest(sentence, seed)])
        seconds.append(time.perf_counter() - start)
    return PictureCost(1000 * statistics.median(seconds[_NUM_WARM:]), _peak_memory() / 1e6, _NUM_TIMED)


def _peak_memory() -> float:
    """Most resident bytes of this process so far; 0 on a system that doesn't tell."""
    with suppress(OSError):  # Linux: its getrusage counts what the parent had when it started this process
        [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM:")]
        return 1024.0 * int(line.split()[1])
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


if __name__ == "__main__":
    print(json.dumps(vars(_measured(Path(sys.argv[1])))))

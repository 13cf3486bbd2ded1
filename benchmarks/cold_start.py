"""Time from the start of `creativeai generate` until the picture is on disk and the process is gone.

    python benchmarks/cold_start.py [--model NAME|PATH] [--num 10]

Files are in the system's cache after the first round, which is not counted. Processor time is told too, since
it depends less on what else the machine does.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from creativeai.bundles import find_bundle
from measuring import option_parser, report


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--num", type=int, default=10, help="starts measured")
    arguments = parser.parse_args()

    model = find_bundle(arguments.model)
    seconds, cpu_seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bird.png"
        command = [sys.executable, "-m", "creativeai.cli", "generate", "a small red bird with black wings"]
        command += ["--model", str(model), "-o", str(out)]
        for _ in range(1 + arguments.num):
            start, cpu_start = time.perf_counter(), _children_cpu_seconds()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
            cpu_seconds.append(_children_cpu_seconds() - cpu_start)
            out.unlink()

    median, slowest = statistics.median(seconds[1:]), max(seconds[1:])
    cpu = statistics.median(cpu_seconds[1:])
    report(
        "cold_start",
        f"{model.name}: median {median:.2f} s, slowest {slowest:.2f} s ({cpu:.2f} s of processor time)",
        model=model.name,
        median_s=round(median, 3),
        slowest_s=round(slowest, 3),
        cpu_median_s=round(cpu, 3),
        num_starts=arguments.num,
    )


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()

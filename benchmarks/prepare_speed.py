"""Pictures a second that `creativeai data prepare` makes arrays of, and its memory.

    python benchmarks/prepare_speed.py [--num 10000] [--folder DIR]

Draws JPEGs of 500 x 375 pixels with a text file each, prepares them at 64, 128 and 256 pixels in a process of
its own, and reads the same files with Pillow in a plain loop. Just written, the files are in the system's
cache.
"""

import argparse
import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from measuring import report

RESOLUTIONS = (64, 128, 256)
SIZE = (500, 375)
NUM_DRAWN = 50
"""Different pictures that are drawn; the files are copies of them with a comment that differs."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num", type=int, default=10_000, help="pictures prepared")
    parser.add_argument("--folder", help="where to put the files, 0.3 MB a picture")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        root = Path(folder)
        _write_pictures(root / "pictures", arguments.num)
        plain = _plain_loop(root / "pictures", arguments.num)
        seconds, cpu, megabytes = _prepare(root / "pictures", root / "dataset")
    rate = arguments.num / seconds
    report(
        "prepare_speed",
        f"{rate:.0f} pictures/s ({1000 * cpu / arguments.num:.2f} ms of processor time each), "
        f"Pillow in a plain loop {plain:.0f}; {megabytes:.0f} MB",
        num_pictures=arguments.num,
        resolutions=RESOLUTIONS,
        pictures_per_s=round(rate, 1),
        cpu_ms_per_picture=round(1000 * cpu / arguments.num, 3),
        plain_loop_pictures_per_s=round(plain, 1),
        peak_mb=round(megabytes),
    )


def _write_pictures(folder: Path, num: int) -> None:
    folder.mkdir()
    drawn = []
    for seed in range(NUM_DRAWN):
        noise = np.random.default_rng(seed)
        parts = [
            np.asarray(Image.fromarray(noise.integers(0, 256, (s, s, 3), dtype=np.uint8)).resize(SIZE), float)
            for s in (5, 20, 80, 320)
        ]
        mixed = 0.5 * parts[0] + 0.3 * parts[1] + 0.15 * parts[2] + 0.05 * parts[3]
        content = io.BytesIO()
        Image.fromarray(mixed.astype(np.uint8)).save(content, "JPEG", quality=90)
        drawn.append(content.getvalue())
    for number in range(num):
        (folder / f"{number:06}.jpg").write_bytes(drawn[number % NUM_DRAWN] + str(number).encode())
        (folder / f"{number:06}.txt").write_text(f"picture {number}\n")


def _plain_loop(folder: Path, num: int) -> float:
    """Pictures a second of what one would write by hand: every resolution from the picture, one thread."""
    paths = sorted(folder.glob("*.jpg"))[: min(num, 500)]
    start = time.perf_counter()
    for path in paths:
        with Image.open(path) as picture:
            rgb = picture.convert("RGB")
        left = (rgb.width - rgb.height) // 2
        square = rgb.crop((left, 0, left + rgb.height, rgb.height))
        for resolution in RESOLUTIONS:
            np.asarray(square.resize((resolution, resolution), Image.Resampling.LANCZOS))
    return len(paths) / (time.perf_counter() - start)


def _prepare(source: Path, out: Path) -> tuple[float, float, float]:
    """Wall and processor seconds, and the most memory in MB, of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "creativeai.cli", "data", "prepare", "text_files", str(out)]
    command += ["--from", str(source), "--resolutions", ",".join(map(str, RESOLUTIONS))]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()

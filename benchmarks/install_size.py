"""Size of the base install: a fresh virtual environment with CreativeAI and what it needs, without torch.

    python benchmarks/install_size.py

Takes a minute and the network (or pip's cache). The bundles and the text encoder in the zoo count, being part
of it.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from measuring import report

ROOT = Path(__file__).parent.parent
NUM_LARGEST = 8


def size_mb(path: Path) -> float:
    """Space a file, or the files in a folder, take on disk; one with two names counts once."""
    files = {}
    for folder, _, names in os.walk(path):
        for name in names:
            status = (Path(folder) / name).lstat()
            files[status.st_ino] = status.st_blocks * 512
    return sum(files.values()) / 1e6 if path.is_dir() else path.stat().st_size / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        venv.create(environment, with_pip=True)
        pip = [
            str(environment / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "-qq",
        ]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(ROOT)], check=True)
        total = size_mb(environment)
        [packages] = environment.glob("lib/python*/site-packages")
        sizes = {path.name: size_mb(path) for path in packages.iterdir()}

    largest = sorted(sizes.items(), key=lambda item: -item[1])[:NUM_LARGEST]
    report(
        "install_size",
        f"{total:.0f} MB, of these " + ", ".join(f"{name} {size:.0f}" for name, size in largest),
        total_mb=round(total),
        largest_mb={name: round(size) for name, size in largest},
        python=sys.version.split()[0],
    )


if __name__ == "__main__":
    main()

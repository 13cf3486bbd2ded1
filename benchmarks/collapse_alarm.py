"""Does the collapse alarm go off on a run that is made to collapse, and stay silent on the shipped models?

    python benchmarks/collapse_alarm.py --data DATASET [--steps 400]

The run: GAN-CLS (`compact`) without mode seeking, whose discriminator learns next to nothing (rate 1e-7), so
that the generator finds one pattern that satisfies it and draws that for every sentence and seed. It is
measured as any run is, on the dataset's held-out captions. Of the shipped models the figures are those of
their export.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from creativeai.bundles import find_bundles, read_bundle
from creativeai.training.metrics_file import last_measurements
from measuring import report

SETTINGS = ("stabilisers.mode_seeking=0", "learning.discriminator_lr=1e-7")


def collapsing_run(data: Path, num_steps: int) -> dict[str, float | bool]:
    """The last measurement of a run that is made to collapse."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "creativeai.cli", "train", "gan_cls", "--data", str(data)]
        command += ["--out", str(run), "--steps", str(num_steps)]
        command += [part for setting in SETTINGS for part in ("--set", setting)]
        subprocess.run(command, check=True)
        [found] = last_measurements(run, 1)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a prepared dataset with 64 px")
    parser.add_argument("--steps", type=int, default=400, help="of the run that is to collapse")
    arguments = parser.parse_args()
    collapsing = collapsing_run(arguments.data, arguments.steps)
    shipped = {name: read_bundle(path).manifest.metrics for name, path in find_bundles().items()}
    alarmed = [name for name, metrics in shipped.items() if metrics["collapsed"]]
    report(
        "collapse_alarm",
        f"made to collapse: {'alarm' if collapsing['collapsed'] else 'SILENT'} (diversity "
        f"{collapsing['diversity']:.2f}, among seeds {collapsing['seed_diversity']:.2f}); shipped models: "
        + (f"ALARM for {', '.join(alarmed)}" if alarmed else f"silent for all {len(shipped)}"),
        collapsing=collapsing,
        shipped={name: [m["diversity"], m["seed_diversity"], m["collapsed"]] for name, m in shipped.items()},
    )


if __name__ == "__main__":
    main()

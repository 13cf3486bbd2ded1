"""How good a bundle's pictures are, on the held-out captions of a prepared dataset.

    python benchmarks/quality.py --model birds --data DATASET [--truncation 1.0]

Measures the bundle's own graph, as users get it: `fd_lite0` to the held-out photos and that of one half of
these photos against the other, text match (the right one of 100 held-out captions) and that of the photos
themselves, diversity. The judge's text-image matcher is trained first, on the dataset's training photos,
which takes some minutes.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import onnxruntime as ort
import torch
from rich.console import Console
from torch import Tensor, nn

from creativeai.bundles import find_bundle, read_bundle
from creativeai.data import CaptionedImages
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.recipes.registry import find_preset, find_recipe
from creativeai.training.budget import Budget
from creativeai.training.materials import build_judge, load_materials
from creativeai.training.run import Run
from measuring import option_parser, report


class GraphGenerator(nn.Module):
    """A bundle's graph in the place of a generator."""

    def __init__(self, graph: Path, truncation: float) -> None:
        super().__init__()
        self.session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.truncation = truncation

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """Pictures [B, 3, R, R] of every stage."""
        values = {"noise": noise * self.truncation, **text._asdict()}
        inputs = {value.name: values[value.name].numpy() for value in self.session.get_inputs()}
        pictures = [value.name for value in self.session.get_outputs() if value.name.startswith("image_")]
        return GeneratorOutput(tuple(map(torch.from_numpy, self.session.run(pictures, inputs))))


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the prepared dataset it was trained on")
    parser.add_argument("--truncation", type=float, help="the bundle's own when left out")
    arguments = parser.parse_args()
    console = Console(stderr=True)

    bundle = read_bundle(find_bundle(arguments.model))
    manifest = bundle.manifest
    truncation = manifest.default_truncation if arguments.truncation is None else arguments.truncation
    dataset = CaptionedImages.open(arguments.data)
    if dataset.meta.digest != manifest.dataset.digest:
        console.print("note: this is not the very dataset the model was trained on")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            folder=Path(folder),
            recipe=manifest.recipe,
            preset=manifest.preset,
            config=find_preset(find_recipe(manifest.recipe), manifest.preset),
            dataset=arguments.data.resolve(),
            dataset_digest=dataset.meta.digest,
            text_encoder=manifest.text_encoder.name,
            seed=0,
            budget=Budget(),
            created="",
        )
        judge = build_judge(run, load_materials(run, console), console)
    generator = GraphGenerator(bundle.file("generator.onnx"), truncation)
    result = judge.measure(generator, manifest.noise_dim, torch.device("cpu"))
    half = judge.split_half_distance()
    report(
        "quality",
        f"{manifest.name} at truncation {truncation}: fd_lite0 {result.fd_lite0:.1f} "
        f"(photos, half against half: {half:.1f}; ratio {result.fd_lite0 / half:.2f}), "
        f"text match {result.text_match:.1%} (photos: {judge.real_text_match():.1%}), "
        f"diversity {result.diversity:.2f}, among seeds {result.seed_diversity:.2f}",
        model=manifest.name,
        truncation=truncation,
        **result.as_dict(),
        fd_lite0_split_half=half,
        text_match_of_photos=judge.real_text_match(),
    )


if __name__ == "__main__":
    main()

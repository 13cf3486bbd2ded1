"""How well does a run's discriminator tell right pairs from wrong, and how much does the batch give away?

    python benchmarks/pairs_apart.py --run RUN [--batches 20]

The discriminator of a classic recipe's last stage judges held-out pictures, in right pairs and in wrong ones
(with the caption before), in batches of the run's size and in training mode, as in a step: first each kind in
batches of its own, then both in one. The figure is the area under the curve, how often the logit of a right
pair is above that of a wrong one: 1 is perfect, chance 0.5. What is lost in one batch was read off the
batch's statistics. A caption that happens to be true of the picture counts as wrong all the same.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from rich.console import Console
from torch import Tensor

from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.pairs import judge_pairs
from creativeai.recipes.stabilisers.judge import Judge
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint
from creativeai.training.feed import Feed
from creativeai.training.materials import build_recipe, load_materials
from creativeai.training.run import open_run
from creativeai.training.tasks import feed_of
from measuring import report


def area_under_curve(right: Tensor, wrong: Tensor) -> float:
    """How often a logit of `right` [N] is above one of `wrong` [M]."""
    return (right[:, None] > wrong[None]).double().mean().item()


@torch.no_grad()
def judged(recipe: ConditionalGan, feed: Feed, num_batches: int, *, together: bool) -> tuple[Tensor, Tensor]:
    """Logits of all right pairs, and of all wrong ones."""
    network = cast(ConditionalDiscriminator, recipe.discriminator.stages[-1])
    judge = Judge(network, reference=None, uses_unconditional=False)
    recipe.generator.train()
    recipe.discriminator.train()
    batches = []
    for step in range(num_batches):
        batch = feed.batch(step, torch.device("cpu"))
        state = recipe.generate(recipe.generator, batch)
        features, condition = judge.features(state.reals[-1]), state.condition[: len(batch.images)]
        pairs = [(features, condition), (features, condition.roll(1, 0))]
        batches.append(judge_pairs(judge, pairs, together=together))
    right, wrong = (torch.cat(logits) for logits in zip(*batches, strict=True))
    return right, wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of a classic recipe's training")
    parser.add_argument("--batches", type=int, default=20, help="of the run's size")
    arguments = parser.parse_args()
    run, console = open_run(arguments.run), Console(stderr=True)
    materials = load_materials(run, console)
    recipe = build_recipe(run, materials, console)
    if not isinstance(recipe, ConditionalGan) or recipe.discriminator.reference is not None:
        parser.error(f"--run is of {run.recipe}: give one of a classic recipe without virtual normalisation")
    saved = load_checkpoint(chosen_checkpoint(run.folder, newest=True))
    recipe.generator.load_state_dict(saved["generator"])
    recipe.discriminator.load_state_dict(saved["discriminator"])
    noise_dim = cast(int, recipe.generator.noise_dim)
    feed = replace(feed_of(run, materials, noise_dim), pictures=materials.held_out)

    apart, in_one = (
        area_under_curve(*judged(recipe, feed, arguments.batches, together=together))
        for together in (False, True)
    )
    report(
        "pairs_apart",
        f"{run.folder.name} (pairs_together={str(run.config.stabilisers.pairs_together).lower()}): right and "
        f"wrong pairs are told apart by {apart:.3f} in batches of their own, by {in_one:.3f} in one batch",
        run=run.folder.name,
        apart=round(apart, 4),
        together=round(in_one, 4),
    )


if __name__ == "__main__":
    main()

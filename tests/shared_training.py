"""Short trainings of many kinds, by the process that imports this, or by two that run it as a script.

What a process draws by itself within a step is replaced by something that follows from the row, so that two
processes with half of the batch each can be held against one with the whole.
"""

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from creativeai.data import CaptionedImages
from creativeai.errors import DataError, TrainingError
from creativeai.models.conditioning import TextTensors
from creativeai.models.layers.across_processes import gathered_in_order, mean_over_processes, own_rank
from creativeai.models.layers.synced_batch_norm import SyncedBatchNorm
from creativeai.models.projected_gan import ModulatedBlock
from creativeai.recipes.contract import Batch
from creativeai.recipes.encoders.contract import EncoderContext
from creativeai.recipes.encoders.damsm import ENTRY as DAMSM
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME
from creativeai.recipes.registry import find_entry
from creativeai.training.budget import Budget
from creativeai.training.fit import Schedule, fit
from creativeai.training.processes import failing_together, joined
from creativeai.training.run import Run
from creativeai.training.settings import apply_settings
from creativeai.training.tasks import prepare_task
from tiny_training import EXACT, quiet_console

NUM_STEPS = 3
_EIGHT = "learning.batch_size=8"
_EPSILON = 1e-2
"""Adam's, which else would make steps of the rounding errors where a gradient is zero."""


@dataclass(frozen=True)
class Case:
    """A way to train."""

    recipe: str
    settings: tuple[str, ...]
    tolerance: float = 1e-4
    """By which share a figure of two processes may differ from that of one."""


CASES = {
    "batch norm, wrong pairs by picture": Case("gan_cls", (_EIGHT, "interpolate=true")),
    "virtual batch norm": Case(
        "gan_cls",
        (
            _EIGHT,
            "stabilisers.discriminator_norm=virtual",
            "stabilisers.generator_norm=virtual",
            "stabilisers.reference_size=6",
            "stabilisers.r1=1.0",
            "stabilisers.r1_interval=2",
        ),
    ),
    "spectral norm, history, mode seeking, pairs together": Case(
        "stackgan_stage1",
        (
            _EIGHT,
            "stabilisers.spectral_norm_discriminator=true",
            "stabilisers.spectral_norm_generator=true",
            "stabilisers.historical_averaging=1.0",
            "stabilisers.mode_seeking=1.0",
            "stabilisers.label_smoothing=0.1",
            "stabilisers.pairs_together=true",
        ),
    ),
    "minibatch discrimination, feature matching": Case(
        "stackgan_v2", (_EIGHT, "stabilisers.minibatch_kernels=4", "stabilisers.feature_matching=1.0")
    ),
    "DAMSM's judgement, wrong pairs by caption": Case(
        "attngan", (_EIGHT, "damsm_weight=1.0"), tolerance=0.03
    ),
    "gradient penalty, learned balance": Case("wgan_cls", (_EIGHT, "balance_lr=0.01")),
    "projected_gan": Case(
        "projected_gan",
        (
            _EIGHT,
            "text_noise=0",
            "swapped_share=1.0",
            "augment.colour=0",
            "augment.translation=0",
            "augment.cutout=0",
        ),
        tolerance=1e-3,
    ),
    "damsm": Case("damsm", ("batch_size=8", "dropout=0", "max_words=40")),
    "char_cnn_rnn": Case("char_cnn_rnn", ("batch_size=6",)),
}


def run_of(case: Case, dataset: Path, folder: Path) -> Run:
    """A run of a case; the matchers in its folder are trained already."""
    config = apply_settings(find_entry(case.recipe).presets["debug"], case.settings)
    return Run(
        folder=folder,
        recipe=case.recipe,
        preset="debug",
        config=config,
        dataset=dataset,
        dataset_digest=CaptionedImages.open(dataset).meta.digest,
        text_encoder="minilm",
        seed=3,
        budget=Budget(num_steps=NUM_STEPS),
        created="",
        text_source=folder.parent / "text" if case.recipe == "attngan" else None,
    )


def write_guide(folder: Path, feature_network: Any) -> None:
    """A text encoder's folder over MiniLM with DAMSM's guide."""
    config = replace(DAMSM.presets["debug"], text="minilm")
    recipe: Any = DAMSM.build(config, EncoderContext(feature_network, ["a bird"]))
    folder.mkdir()
    (folder / GUIDE_NAME).write_bytes(recipe.guide())


@contextmanager
def drawing_by_row() -> Iterator[None]:
    """No draw within a step depends on which process makes it."""

    def middle(real: Tensor, fake: Tensor) -> Tensor:
        return torch.lerp(fake, real, 0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn_like", lambda x: x.flip(1))
        patch.setattr("creativeai.recipes.adversarial.interpolate", middle)
        patch.setattr("creativeai.training.tasks.build_judge", lambda *_: None)  # nothing is measured
        yield


@dataclass(frozen=True)
class _ExactFeed:
    """Another feed's batches in double precision."""

    plain: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def batch(self, step: int, device: torch.device) -> Batch:
        batch: Batch = self.plain.batch(step, device)
        text = TextTensors(batch.text.sentence.double(), batch.text.words.double(), batch.text.mask)
        return replace(batch, images=batch.images.double(), text=text, noise=batch.noise.double())


@contextmanager
def _double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def figures_of(run: Run) -> list[dict[str, float]]:
    """What each of some steps gives for the log; and a digest of all that a checkpoint would hold.

    The classic recipes, which make much of rounding errors, are in double precision but for AttnGAN, whose
    DAMSM has none.
    """
    if "stabilisers" not in vars(run.config) or run.recipe == "attngan":
        return _figures_of(prepare_task(run, EXACT, quiet_console())(), run)
    with _double_precision():
        task: Any = prepare_task(run, EXACT, quiet_console())()
        task.feed = _ExactFeed(task.feed)
        return _figures_of(task, run)


def _figures_of(task: Any, run: Run) -> list[dict[str, float]]:
    if run.recipe == "projected_gan":
        for block in task.recipe.generator.modules():
            if isinstance(block, ModulatedBlock):  # its noise is drawn within a step
                nn.init.zeros_(block.noise_strength.requires_grad_(False))
    for optimizer in task.state.optimizers.values():
        for group in optimizer.param_groups:
            group["eps"] = _EPSILON
    figures = [task.step() for _ in range(NUM_STEPS)]
    buffer = io.BytesIO()
    torch.save(task.state.state_dict(), buffer)
    digest = int.from_bytes(hashlib.sha256(buffer.getvalue()).digest()[:6])
    return [*figures, {"digest": digest}]


def _layers(folder: Path) -> dict[str, Tensor]:
    """Batch normalisation of 4 of 7 examples, or of the other 3; and sums over both processes."""
    given = torch.load(folder / "given.pt", weights_only=True)
    norm = nn.BatchNorm2d(5)
    norm.load_state_dict(given["norm"])
    synced = SyncedBatchNorm(norm)
    ours = slice(4, 7) if own_rank() else slice(0, 4)
    x = given["x"][ours].requires_grad_()
    y = synced(x)
    y.backward(given["gradient"][ours])
    rows = torch.tensor([[2, 3, 6, 7], [0, 1, 4, 5]][1 - own_rank()])
    z = given["z"][rows].requires_grad_()
    everyone = gathered_in_order(z)
    mean = mean_over_processes(z.sum())
    (everyone * given["z"].flip(0)).sum().mul(1 + own_rank()).add(mean).backward()
    assert x.grad is not None and z.grad is not None
    trained = {name: value.detach().clone() for name, value in synced.state_dict().items()}
    weights = {f"by_{name}": weight.grad for name, weight in synced.named_parameters()}
    synced.eval()
    return {
        **trained,
        **weights,  # type: ignore[dict-item]
        "y": y.detach(),
        "by_x": x.grad,
        "everyone": everyone.detach(),
        "mean": mean.detach(),
        "rows": rows,
        "by_z": z.grad,
        "y_evaluated": synced(x).detach(),
    }


def _failures(run: Run) -> dict[str, str]:
    """How each process ends when the second alone has no number in its pictures, or finds no dataset."""

    def ending(work: Any) -> str:
        try:
            work()
        except TrainingError as error:
            return str(error)
        except SystemExit as error:
            return f"exit {error.code}"
        return "none"

    def spoilt() -> None:
        task: Any = prepare_task(run, EXACT, quiet_console())()
        plain = task.recipe.generate

        def generate(generator: Any, batch: Any) -> Any:
            factor = float("nan") if own_rank() and task.state.step == 1 else 1.0
            return plain(generator, replace(batch, images=batch.images * factor))

        task.recipe.generate = generate
        fit(task, Budget(num_steps=4), Schedule(), None, run.folder)

    def absent() -> None:
        with failing_together():
            if own_rank():
                raise DataError("no such dataset")

    def odd() -> None:
        learning = replace(run.config.learning, batch_size=6)
        prepare_task(replace(run, config=replace(run.config, learning=learning)), EXACT, quiet_console())

    return {name: ending(work) for name, work in (("nan", spoilt), ("absent", absent), ("odd", odd))}


def _work(folder: Path, dataset: Path) -> None:
    with joined():
        rank = own_rank()
        torch.save(_layers(folder), folder / f"layers{rank}.pt")
        with drawing_by_row():
            found = {name: figures_of(run_of(case, dataset, folder / name)) for name, case in CASES.items()}
        (folder / f"figures{rank}.json").write_text(json.dumps(found))
        first = next(iter(CASES))
        failures = _failures(run_of(CASES[first], dataset, folder / first))
        (folder / f"failures{rank}.json").write_text(json.dumps(failures))
        dist.monitored_barrier(timeout=timedelta(seconds=60))


if __name__ == "__main__":
    torch.set_num_threads(1)
    _work(Path(sys.argv[1]), Path(sys.argv[2]))

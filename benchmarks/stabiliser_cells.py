"""The stabilisers that `stabilisers.py` compares, and what it finds of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["STABILISERS", "Result", "markdown", "settings_of"]

_COLUMNS = (
    "stabiliser",
    "batch",
    "steps",
    "fd_lite2",
    "diversity",
    "among seeds",
    "collapsed",
    "body colour",
    "pictures a CPU second",
)
_NO_NORM = ("discriminator_norm=none",)
_CRITIC = (*_NO_NORM, "loss=wasserstein", "gradient_penalty=10")
_BASELINE = ("label_smoothing=0", "augment.colour=0", "augment.translation=0", "augment.cutout=0")
STABILISERS: dict[str, tuple[str, ...]] = {
    "baseline": (),
    "no_averaging": ("learning.ema_half_life=1",),
    "label_smoothing": ("label_smoothing=0.1",),
    "ttur": ("ttur=true",),
    "minibatch": ("minibatch_kernels=100",),
    "feature_matching": ("feature_matching=0.01",),
    "historical_averaging": ("historical_averaging=0.01",),
    "mode_seeking": ("mode_seeking=1",),
    "virtual_norm": ("generator_norm=virtual", "reference_size=8"),
    "augmentation": ("augment.colour=0.5", "augment.translation=0.125", "augment.cutout=0.4"),
    "spectral_norm_d": ("spectral_norm_discriminator=true",),
    "spectral_norm_g": ("spectral_norm_generator=true",),
    "spectral_norm_both": ("spectral_norm_discriminator=true", "spectral_norm_generator=true"),
    "hinge": ("loss=hinge",),
    "no_norm": _NO_NORM,
    "r1": (*_NO_NORM, "r1=1"),
    "wgan_gp": _CRITIC,
    "wgan_gp_one_sided": (*_CRITIC, "gradient_penalty_one_sided=true"),
    "wgan_sn": (*_NO_NORM, "loss=wasserstein", "spectral_norm_discriminator=true"),
}
"""What each sets, over a baseline without label smoothing and augmentation; fields of `stabilisers` unless
they name another group. Weights without a published value (feature matching, historical averaging) make the
term of the adversarial one's size."""


@dataclass(frozen=True)
class Result:
    """What a cell came to."""

    name: str
    batch: int
    settings: tuple[str, ...]
    steps: int
    seconds: float
    pictures_per_cpu_second: float
    """Waiting for other programs doesn't count; compilation does."""
    fd_lite2: float
    diversity: float
    seed_diversity: float
    collapsed: bool
    colour_accuracy: float
    losses: dict[str, list[float]]
    """By network, over the steps."""


def settings_of(name: str, batch: int) -> tuple[str, ...]:
    """The cell as `creativeai train --set` would have it."""
    settings = (*_BASELINE, *STABILISERS[name])
    own = (setting if "learning." in setting else f"stabilisers.{setting}" for setting in settings)
    fields = dict(setting.split("=") for setting in own)
    return (f"learning.batch_size={batch}", *(f"{field}={value}" for field, value in fields.items()))


def markdown(results: Sequence[Result], failures: Mapping[str, str], title: str) -> str:
    """The results as a table, the failures as a list."""
    lines = [
        f"# {title}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
    ]
    lines += [
        f"| {one.name} | {one.batch} | {one.steps} | {one.fd_lite2:.1f} | {one.diversity:.2f} "
        f"| {one.seed_diversity:.2f} | {'yes' if one.collapsed else 'no'} | {one.colour_accuracy:.1%} "
        f"| {one.pictures_per_cpu_second:.1f} |"
        for one in results
    ]
    if failures:
        lines += ["", *(f"- {cell}: {reason}" for cell, reason in failures.items())]
    return "\n".join(lines) + "\n"

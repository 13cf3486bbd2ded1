"""Which stabilisers a recipe trains with, and which of them contradict each other."""

from dataclasses import dataclass, field

from creativeai.models.layers.norm import GeneratorNorm, Norm
from creativeai.recipes.augmentation import DiffAugment
from creativeai.recipes.stabilisers.losses import LossName

__all__ = ["FEW_PICTURES", "Stabilisers", "check_batch"]

_AT_LEAST_ZERO = (
    "gradient_penalty",
    "r1",
    "minibatch_kernels",
    "feature_matching",
    "historical_averaging",
    "mode_seeking",
)
FEW_PICTURES = DiffAugment(colour=0.5, translation=0.125, cutout=0.0)
"""Augmentation for some thousand pictures, which discriminators that start from nothing learn by heart."""
_NO_AUGMENTATION = DiffAugment(colour=0.0, translation=0.0, cutout=0.0)


@dataclass(frozen=True, kw_only=True)
class Stabilisers:
    """What any adversarial recipe can be steadied by; with the defaults, nothing but batch normalisation."""

    loss: LossName = "standard"
    """Adversarial loss: standard (cross-entropy), wasserstein or hinge."""
    gradient_penalty: float = 0.0
    """Weight of (|gradient| - 1)^2 between real and generated pictures; 0 is off, 10 is WGAN-GP's."""
    gradient_penalty_one_sided: bool = False
    """Whether that penalty leaves out gradients shorter than 1."""
    r1: float = 0.0
    """Gamma of the R1 penalty on real pictures, gamma / 2 * |gradient|^2; 0 is off."""
    r1_interval: int = 16
    """Steps from one R1 penalty to the next, each counting so many times."""
    spectral_norm_discriminator: bool = False
    """Spectral normalisation of every linear map of the discriminator."""
    spectral_norm_generator: bool = False
    """Spectral normalisation of every linear map of the generator."""
    ttur: bool = False
    """Two time scales: the discriminator learns at four times the generator's rate, betas (0, 0.9)."""
    minibatch_kernels: int = 0
    """Kernels of minibatch discrimination in the discriminator; 0 is off, 100 is the paper's."""
    label_smoothing: float = 0.0
    """What the discriminator's target for real pictures lies below 1; 0.1 means a target of 0.9."""
    feature_matching: float = 0.0
    """Weight of the squared distance between the batch means of real and generated features; 0 is off."""
    historical_averaging: float = 0.0
    """Weight of the squared distance of either network's weights from their mean so far; 0 is off."""
    mode_seeking: float = 0.0
    """Weight of mode seeking, for which half of the batch's captions are drawn twice; 0 is off, the paper has
    1. It is to be weighed against the sum of what all discriminators ask."""
    discriminator_norm: Norm = "batch"
    """Normalisation in the discriminator."""
    pairs_together: bool = False
    """Whether a discriminator's conditional head sees right, wrong and generated pairs in one batch, so that
    its batch normalisation doesn't give away which of them a batch holds; the papers' code has them apart."""
    generator_norm: GeneratorNorm = "batch"
    """Normalisation in the generator."""
    reference_size: int = 16
    """Examples of the reference batch of virtual normalisation, taken from the first batch."""
    augment: DiffAugment = field(default_factory=lambda: _NO_AUGMENTATION)
    """Differentiable augmentation of what the discriminator sees; strengths of 0 are off."""

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ZERO:
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)} must be 0 (off) or more")
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError(
                f"label_smoothing={self.label_smoothing} must be from 0 to below 0.5, where real would be as "
                "good as fake"
            )
        if self.r1_interval < 1:
            raise ValueError(f"r1_interval={self.r1_interval} must be at least 1")
        if self.reference_size < 2:
            raise ValueError(
                f"reference_size={self.reference_size} must be at least 2: one example has no variance"
            )
        for reason in _contradictions(self):
            raise ValueError(reason)

    @property
    def uses_reference(self) -> bool:
        """Whether a reference batch is needed."""
        return "virtual" in (self.discriminator_norm, self.generator_norm)


def _contradictions(own: Stabilisers) -> list[str]:
    """Why these stabilisers can't go together; empty where they can."""
    reasons = []
    if own.label_smoothing and own.loss != "standard":
        reasons.append(
            f"label_smoothing={own.label_smoothing} has no targets to smooth with loss={own.loss}: "
            "set label_smoothing=0 or loss=standard"
        )
    # Virtual batch normalisation is fine: the reference is fixed, no example depends on another one.
    for name in ("gradient_penalty", "r1"):
        reason = f"{name} is about the gradient of each picture's own logit, and "
        if getattr(own, name) and own.discriminator_norm == "batch":
            reasons.append(
                f"{reason}discriminator_norm=batch makes it depend on the other pictures: "
                "set discriminator_norm=none or virtual"
            )
        if getattr(own, name) and own.minibatch_kernels:
            reasons.append(
                f"{reason}minibatch_kernels={own.minibatch_kernels} makes it depend on the other pictures: "
                "set minibatch_kernels=0"
            )
    if own.pairs_together and own.discriminator_norm != "batch":
        reasons.append(
            f"pairs_together is about batch normalisation, and discriminator_norm={own.discriminator_norm} "
            "judges each pair by itself: set pairs_together=false or discriminator_norm=batch"
        )
    if own.r1 and own.gradient_penalty and not own.gradient_penalty_one_sided:
        reasons.append(
            "r1 pulls the gradient to 0 and gradient_penalty to 1: "
            "drop one of them or set gradient_penalty_one_sided=true"
        )
    if own.loss == "wasserstein" and not own.gradient_penalty:
        if not own.spectral_norm_discriminator:
            reasons.append(
                "loss=wasserstein is a distance only where the critic's slope is bounded: "
                "set gradient_penalty=10 or spectral_norm_discriminator=true"
            )
        elif own.discriminator_norm != "none":
            reasons.append(
                f"discriminator_norm={own.discriminator_norm} rescales the slope that spectral normalisation "
                "bounds for loss=wasserstein: set discriminator_norm=none"
            )
    return reasons


def check_batch(stabilisers: Stabilisers, batch_size: int) -> None:
    """Refuse a number of pictures a step that these stabilisers, or mismatched pairs, can't work with.

    Raises:
        ValueError: With the reason.
    """
    own = stabilisers
    if own.uses_reference and batch_size < own.reference_size:
        raise ValueError(
            f"batch_size={batch_size} is below stabilisers.reference_size={own.reference_size}: "
            "the reference batch is taken from the first batch"
        )
    if batch_size >= 2:
        return
    if own.minibatch_kernels:
        reason = f"stabilisers.minibatch_kernels={own.minibatch_kernels} compares the pictures of a batch"
    elif own.feature_matching:
        reason = f"stabilisers.feature_matching={own.feature_matching} compares means over the batch"
    elif "batch" in (own.discriminator_norm, own.generator_norm):
        reason = "batch normalisation takes its statistics over the batch"
    else:
        reason = "the caption of a mismatched pair is another picture's"
    raise ValueError(f"batch_size={batch_size} must be at least 2: {reason}")

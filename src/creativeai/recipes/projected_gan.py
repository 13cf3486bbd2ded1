"""How the text-conditional Projected GAN learns: hinge loss, mismatched captions, range penalty, guidance.

The generator makes one pass a step. Its pictures' frozen features are computed once, with gradient: the
discriminator's loss uses them detached, the generator's uses them whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from creativeai.models.efficientnet_lite import FEATURE_STRIDES, EfficientNetLite0
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.across_processes import gathered, mean_over_processes
from creativeai.models.projected_gan import ProjectedDiscriminator, ProjectedGenerator
from creativeai.models.text_image_matcher import matching_loss
from creativeai.recipes.augmentation import Changes, DiffAugment
from creativeai.recipes.contract import Batch, BuildContext, Guide, LossParts, RecipeEntry
from creativeai.recipes.diversity import pair_distances
from creativeai.recipes.learning import Learning, adam_optimizers, learning_rate_factor
from creativeai.recipes.mismatched import mismatched_sentences
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "ProjectedGanConfig", "ProjectedGanRecipe", "ProjectedGanState", "build"]


_MAY_BE_ZERO = {
    "mismatch_weight",
    "range_weight",
    "matching_weight",
    "matching_start",
    "matching_ramp",
    "diversity_weight",
    "diversity_target",
    "text_noise",
    "swapped_share",
}


@dataclass(frozen=True, kw_only=True)
class ProjectedGanConfig:
    """Every constant of the recipe."""

    resolution: int = 128
    """Side of the pictures in pixels."""
    channels: tuple[int, ...] = (256, 192, 128, 64, 32)
    """Generator widths at 4, 8, 16, ... px; the last has half the picture's side."""
    num_blocks: tuple[int, ...] = (1, 2, 2, 1, 1)
    """Generator blocks at each of these sides."""
    noise_dim: int = 128
    """Length of the noise vector."""
    style_dim: int = 192
    """Length of the style vector."""
    head_width: int = 64
    """Channels within a discriminator head."""
    code_dim: int = 64
    """Length of the codes onto which sentence and picture are projected."""
    feature_resolution: int = 128
    """Side of the pictures as the feature network sees them."""
    learning: Learning = field(default_factory=lambda: Learning(batch_size=32, adam_betas=(0.0, 0.99)))
    """Batches, learning rates and averaging."""
    mismatch_weight: float = 0.5
    """Weight of the mismatched-caption term of the discriminator."""
    swapped_share: float = 0.0
    """Share of that term's captions that are the picture's own with colours exchanged, where it has any."""
    range_weight: float = 10.0
    """Weight of mean(relu(|x| - 1)^2), which keeps the linear output in range."""
    matching_weight: float = 0.04
    """Weight of the text guidance at its full strength; 0 trains without a guide."""
    matching_temperature: float = 0.1
    """Temperature of the guidance's InfoNCE."""
    matching_start: int = 60_000
    """Pictures after which guidance sets in: earlier it stops the learning altogether."""
    matching_ramp: int = 60_000
    """Pictures over which it grows to full strength."""
    diversity_weight: float = 3.0
    """Weight of the diversity term; 0 leaves the noise to itself, which generators soon ignore."""
    diversity_target: float = 0.6
    """Two pictures of one sentence should differ at least by this share of what two photos differ by."""
    guide_steps: int = 900
    """Steps for which the guide's matcher is trained on the photos beforehand."""
    text_noise: float = 0.1
    """Deviation of the Gaussian noise on the standardised sentence vectors in training, for both networks."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""
    augment: DiffAugment = field(default_factory=DiffAugment)
    """Differentiable augmentation of what the discriminator sees."""

    def __post_init__(self) -> None:
        final = 8 * 2 ** (len(self.channels) - 1)
        if len(self.channels) != len(self.num_blocks) or self.resolution != final:
            raise ValueError(
                f"channels and num_blocks of {len(self.channels)} and {len(self.num_blocks)} levels "
                f"give {final} px, not resolution={self.resolution}"
            )
        if self.feature_resolution % 32 or self.feature_resolution < 64:
            raise ValueError(f"feature_resolution={self.feature_resolution} must be a multiple of 32 from 64")
        if self.swapped_share > 1:
            raise ValueError(f"swapped_share={self.swapped_share} must be from 0 to 1")
        for name, value in vars(self).items():
            if name in ("augment", "learning", "text_augmentation"):  # check themselves
                continue
            smallest = min(value) if isinstance(value, tuple) else value
            if smallest < 0 or (smallest == 0 and name not in _MAY_BE_ZERO):
                raise ValueError(f"{name}={value} must be above zero")
        if self.channels[0] < 4:
            raise ValueError(f"channels={self.channels} must begin with at least 4")


PRESETS = {
    "compact": ProjectedGanConfig(swapped_share=0.5, text_augmentation=TextAugmentation()),
    "debug": ProjectedGanConfig(
        resolution=32,
        channels=(32, 16, 8),
        num_blocks=(1, 1, 1),
        noise_dim=8,
        style_dim=16,
        head_width=16,
        code_dim=8,
        feature_resolution=64,
        learning=Learning(batch_size=4, adam_betas=(0.0, 0.99), ema_half_life=16),
        swapped_share=0.5,
        text_augmentation=TextAugmentation(),
        matching_start=0,
        matching_ramp=8,
        guide_steps=4,
    ),
}
"""`compact` trains on two CPU cores in hours; `debug` takes two steps in under two seconds."""


@dataclass
class ProjectedGanState:
    """What a step's generator pass leaves for both losses."""

    fakes: Tensor
    """[B, 3, R, R] generated pictures, two of each sentence: i and i + B / 2 share theirs."""
    sentence: Tensor
    """[B, D] the sentences they were asked for."""
    captions: tuple[str, ...]
    """[B] the same as text."""
    seen: Tensor
    """[B, 3, F, F] the pictures, augmented and resized as the feature network saw them."""
    features: list[Tensor]
    """Frozen feature maps of `seen`, with gradient."""
    real_seen: Tensor
    """[B, 3, F, F] the real pictures, augmented and resized."""
    real_features: list[Tensor]
    """Their frozen feature maps."""


class ProjectedGanRecipe:
    """Networks and losses. The loop owns optimisers, devices and logging.

    Args:
        config: The constants.
        text_dim: Length of the sentence vectors.
        feature_network: Frozen EfficientNet-Lite0.
        guide: Matcher for text guidance, trained on the same photos; None trains without.
        num_pictures: Pictures of an epoch.
    """

    def __init__(
        self,
        config: ProjectedGanConfig,
        text_dim: int,
        feature_network: EfficientNetLite0,
        guide: Guide | None,
        num_pictures: int,
    ) -> None:
        self.config = config
        self.num_pictures = num_pictures
        self.feature_network = feature_network
        self.guide = guide
        self._changed_view: Callable[..., Tensor] = changed_view
        self.generator = ProjectedGenerator(
            config.resolution,
            config.channels,
            config.num_blocks,
            config.noise_dim,
            text_dim,
            config.style_dim,
        )
        sides = [config.feature_resolution // stride for stride in FEATURE_STRIDES]
        self.discriminator = ProjectedDiscriminator(text_dim, sides, config.head_width, config.code_dim)

    def compile(self, compiled: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Compile what gains by it besides the generator.

        Args:
            compiled: Gives the compiled form of a function.
        """
        self._changed_view = compiled(self._changed_view)

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam for either network, by the network's name."""
        return adam_optimizers(self.config.learning, self.generator, self.discriminator)

    def learning_rate_factor(self, num_seen: int) -> float:
        """The decay of the learning rates after so many real pictures."""
        return learning_rate_factor(self.config.learning, num_seen, self.num_pictures)

    def fit_text(self, sentences: Tensor) -> None:
        """Standardise the text inputs of both networks to the training captions' sentence vectors [N, D]."""
        self.generator.text.fit(sentences)
        self.discriminator.text.fit(sentences)

    def generate(self, generator: Callable[..., GeneratorOutput], batch: Batch) -> ProjectedGanState:
        """The step's one generator pass: the first half of the batch's sentences, each with two noises."""
        half = batch.text.sentence[: (len(batch.noise) + 1) // 2]
        sentence = torch.cat([half, half])[: len(batch.noise)]
        captions = (batch.captions[: len(half)] * 2)[: len(batch.noise)]
        fakes = generator(batch.noise, batch.text._replace(sentence=self._noisy(sentence))).images[-1]
        seen, real_seen = self._view(fakes), self._view(batch.images)
        with torch.no_grad():
            real_features = self.feature_network(real_seen)
        features = self.feature_network(seen)
        return ProjectedGanState(fakes, sentence, captions, seen, features, real_seen, real_features)

    def discriminator_loss(self, batch: Batch, state: ProjectedGanState) -> tuple[Tensor, LossParts]:
        """Hinge on real, generated and mismatched pairs, averaged over the heads."""
        sentence = self._noisy(batch.text.sentence)
        real_codes = self.discriminator.codes(state.real_seen, state.real_features)
        fake_features = [feature.detach() for feature in state.features]
        fake_codes = self.discriminator.codes(state.seen.detach(), fake_features)
        real = self.discriminator.logits(real_codes, sentence)
        wrong = mismatched_sentences(batch, self.config.swapped_share)
        mismatched = self.discriminator.logits(real_codes, self._noisy(wrong))
        fake = self.discriminator.logits(fake_codes, self._noisy(state.sentence))
        weight = self.config.mismatch_weight
        parts = {
            "real": _mean(F.relu(1 - x) for x in real),
            "fake": _mean(F.relu(1 + x) for x in fake),
            "mismatched": _mean(F.relu(1 + x) for x in mismatched),
        }
        loss = parts["real"] + (parts["fake"] + weight * parts["mismatched"]) / (1 + weight)
        return loss, parts

    def generator_loss(self, batch: Batch, state: ProjectedGanState) -> tuple[Tensor, LossParts]:
        """Adversarial, range, diversity and guidance terms."""
        config = self.config
        fake_codes = self.discriminator.codes(state.seen, state.features)
        fake = self.discriminator.logits(fake_codes, state.sentence)
        # A batch of few pictures may pair each with itself.
        photos = mean_over_processes(pair_distances(state.real_features).mean()).clamp(min=1e-3)
        diversity = pair_distances(state.features) / photos
        parts = {
            "adversarial": -_mean(fake),
            "range": F.relu(state.fakes.float().abs() - 1).square().mean(),
            "diversity": diversity.mean(),
        }
        loss = parts["adversarial"] + config.range_weight * parts["range"]
        # Asked of every pair: of the mean, sentences of many poses would make up for those of one.
        loss = loss + config.diversity_weight * F.relu(config.diversity_target - diversity).mean()
        weight = self.matching_weight(batch.num_seen)
        if self.guide is not None and weight > 0:
            image_codes = self.guide.image_codes(state.seen, state.features)
            text_codes = torch.from_numpy(self.guide.text_codes(state.captions)).to(image_codes.device)
            # Within a half no sentence stands twice, so that no pair counts as wrong that is right.
            size = (len(text_codes) + 1) // 2
            halves = zip(image_codes.split(size), text_codes.split(size), strict=True)
            losses = [
                matching_loss(gathered(images), gathered(texts), 1 / config.matching_temperature)
                for images, texts in halves
            ]
            parts["matching"] = torch.stack(losses).mean()
            loss = loss + weight * parts["matching"]
        return loss, parts

    def matching_weight(self, num_seen: int) -> float:
        """Weight of the guidance after so many pictures: none, a ramp, then the full one."""
        config = self.config
        ramp = (num_seen - config.matching_start) / max(config.matching_ramp, 1)
        return config.matching_weight * min(max(ramp, 0.0), 1.0)

    def _view(self, images: Tensor) -> Tensor:
        return self._changed_view(self.config, images, self.config.augment.draw(images, in_pairs=True))

    def _noisy(self, sentence: Tensor) -> Tensor:
        if not self.config.text_noise:
            return sentence
        return sentence + torch.randn_like(sentence) * (self.config.text_noise / self.generator.text.scale)


def build(config: ProjectedGanConfig, context: BuildContext) -> ProjectedGanRecipe:
    """The recipe with its networks; the guide is trained first where the configuration asks for one."""
    network = context.feature_network
    device = network.head.weight.device
    guide = None
    if config.matching_weight > 0:

        def view(images: Tensor) -> tuple[Tensor, list[Tensor]]:
            seen = augmented_view(config, images.to(device))
            return seen, network(seen)

        guide = context.load_guide(view, config.guide_steps)
    return ProjectedGanRecipe(config, context.text_dim, network, guide, context.num_pictures)


def augmented_view(config: ProjectedGanConfig, images: Tensor) -> Tensor:
    """Pictures [B, 3, R, R] as the feature network sees them: augmented, at its resolution [B, 3, F, F]."""
    return changed_view(config, images, config.augment.draw(images))


def changed_view(config: ProjectedGanConfig, images: Tensor, changes: Changes) -> Tensor:
    """The same with changes drawn before: nothing in it is random, so that it may be compiled."""
    images = config.augment.apply(images, changes)
    side = config.feature_resolution
    if images.shape[-1] != side:
        images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=images.shape[-1] > side)
    return images.contiguous(memory_format=torch.channels_last)


def _mean(logits: Iterable[Tensor]) -> Tensor:
    return torch.stack([x.float().mean() for x in logits]).mean()


RECIPE = RecipeEntry(
    "projected_gan",
    "Text-conditional Projected GAN",
    PRESETS,
    build,
    uses_swapped=lambda config: config.swapped_share > 0,
)

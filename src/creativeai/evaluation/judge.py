"""One fair measurement of a generator, the same in training and after: distance, diversity, text match."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from creativeai.evaluation.diversity import mean_pairwise_distance
from creativeai.evaluation.features import FeatureExtractor, join_features
from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.retrieval import retrieval_accuracy
from creativeai.models.conditioning import TextTensors, text_tensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import TextImageMatcher
from creativeai.text.caption_vectors import EncodedCaptions

__all__ = ["COLLAPSE_RATIO", "SEED_COLLAPSE_RATIO", "Judge", "Measurement"]

COLLAPSE_RATIO = 0.5
"""Below this share of the real photos' diversity the collapse alarm goes off."""
SEED_COLLAPSE_RATIO = 0.15
"""The same for pictures of one sentence, which are more alike: here the noise is all but ignored."""
_SEED = 20191
_BATCH_SIZE = 16
_PHOTOS_AT_ONCE = 256
_NUM_SEED_SENTENCES = 4


@dataclass(frozen=True)
class Measurement:
    """What was measured of one generator on held-out captions."""

    fd_lite0: float
    """Frechet distance on EfficientNet-Lite0 features to the held-out photos. Not the FID."""
    diversity: float
    """Mean cosine distance of generated pictures, divided by that of the held-out photos."""
    seed_diversity: float
    """The same for pictures of one and the same sentence, over all pairs of seeds."""
    text_match: float
    """How often the right one out of 100 held-out captions is retrieved for a generated picture."""
    collapsed: bool
    """The collapse alarm: pictures of different sentences, or of different seeds, are all but the same."""
    num_generated: int
    num_real: int

    def as_dict(self) -> dict[str, float | int | bool]:
        """The figures by name."""
        return asdict(self)


class Judge:
    """Measures generators against one dataset's held-out pictures and captions.

    Args:
        extractor: The feature network.
        matcher: A text-image matcher that no generator was trained with.
        images: [N, R, R, 3] the dataset's pictures.
        captions: Their captions, as the generators read them.
        judged_captions: The same captions, as the matcher reads them.
        pictures: Positions of the held-out pictures.
        num_generated: Pictures to generate.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        matcher: TextImageMatcher,
        images: NDArray[np.uint8],
        captions: EncodedCaptions,
        judged_captions: EncodedCaptions,
        pictures: NDArray[np.int64],
        num_generated: int,
    ) -> None:
        self.extractor = extractor
        self.matcher = matcher
        self.num_generated = num_generated
        self.captions = captions
        self.judged_captions = judged_captions
        self.pictures = pictures
        chunks = np.array_split(pictures, -(-len(pictures) // _PHOTOS_AT_ONCE))
        self._real = join_features([extractor(pixels_to_tensor(images[chunk])) for chunk in chunks])
        self.real_features = self._real.pooled.numpy()
        # Photos that are all the same are no reason to stop a run.
        self.real_diversity = max(mean_pairwise_distance(self.real_features), 1e-6)

    def real_text_match(self) -> float:
        """Text match of the held-out photos with their own first captions: the matcher's ceiling."""
        rows = self.captions.rows(self.pictures)
        return self._text_match(self._real.descriptions, rows, self.pictures)

    def split_half_distance(self) -> float:
        """`fd_lite0` of one random half of the held-out photos against the other."""
        order = np.random.default_rng(_SEED).permutation(len(self.real_features))
        half = len(order) // 2
        return frechet_distance(self.real_features[order[:half]], self.real_features[order[half : 2 * half]])

    @torch.no_grad()
    def measure(self, generator: nn.Module, noise_dim: int, device: torch.device) -> Measurement:
        """Measure a generator in evaluation mode, with fixed noise and captions."""
        pictures = np.resize(self.pictures, self.num_generated)
        # The i-th round over the held-out pictures takes their i-th captions.
        rounds = np.arange(self.num_generated) // len(self.pictures)
        which = rounds % self.captions.num_captions(pictures)
        rows = self.captions.rows(pictures, which)
        text = text_tensors(self.captions.features(rows))
        random = torch.Generator().manual_seed(_SEED)
        noise = torch.randn(self.num_generated, noise_dim, generator=random)
        batches = zip(noise.split(_BATCH_SIZE), text.split_by(_BATCH_SIZE), strict=True)
        generated = join_features([self.extractor(_run(generator, *batch, device)) for batch in batches])
        pooled = generated.pooled.numpy()
        diversity = mean_pairwise_distance(pooled) / self.real_diversity
        seed_diversity = self._seed_diversity(generator, noise, text, device)
        return Measurement(
            fd_lite0=frechet_distance(pooled, self.real_features),
            diversity=diversity,
            seed_diversity=seed_diversity,
            text_match=self._text_match(generated.descriptions, rows, pictures),
            collapsed=diversity < COLLAPSE_RATIO or seed_diversity < SEED_COLLAPSE_RATIO,
            num_generated=self.num_generated,
            num_real=len(self.real_features),
        )

    @torch.no_grad()
    def _text_match(self, descriptions: Tensor, rows: NDArray[np.int64], owners: NDArray[np.int64]) -> float:
        sentences = torch.from_numpy(self.judged_captions.features(rows).sentence)
        image_codes = self.matcher.image_codes(descriptions).numpy()
        text_codes = self.matcher.text_codes(sentences).numpy()
        same_words = np.unique(sentences.numpy(), axis=0, return_inverse=True)[1].reshape(-1)
        return float(retrieval_accuracy(image_codes, text_codes, owners, same_words).mean())

    def _seed_diversity(
        self, generator: nn.Module, noise: Tensor, text: TextTensors, device: torch.device
    ) -> float:
        distances = []
        batch = noise[:_BATCH_SIZE]
        for caption in text.split_by(1)[:_NUM_SEED_SENTENCES]:
            images = _run(generator, batch, caption.repeated(len(batch)), device)
            distances.append(mean_pairwise_distance(self.extractor(images).pooled.numpy()))
        return float(np.mean(distances)) / self.real_diversity


def _run(generator: nn.Module, noise: Tensor, text: TextTensors, device: torch.device) -> Tensor:
    output: GeneratorOutput = generator(noise.to(device), text.to(device))
    return output.images[-1].float().cpu()

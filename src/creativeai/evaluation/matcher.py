"""The text-image matcher at work: captions as they are typed, pictures by their frozen features.

Two come with CreativeAI, both trained on the training photos of `birds` and `flowers`. The one on
EfficientNet-Lite2 judges: what "follows the text" means is the same for everybody who has the same file, and
its digest is on every evaluation card. Its sister on Lite0 guides trainings. How they were made:
`tools/train_judge.py`.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.evaluation.weights_file import read_weights, write_weights
from creativeai.models.text_image_matcher import DescriptionLayout, TextImageMatcher, describe_images
from creativeai.text import load_text_encoder
from creativeai.text.vocabulary import Vocabulary

__all__ = [
    "GUIDE_FILE",
    "JUDGE_FILE",
    "Matcher",
    "MatcherFacts",
    "SentenceVectors",
    "load_matcher",
    "matcher_network",
    "sentence_vectors",
    "shipped_matcher",
    "word_ids",
]

_ZOO = Path(__file__).parent.parent / "zoo" / "judge"
JUDGE_FILE = _ZOO / "matcher_lite2.safetensors"
GUIDE_FILE = _ZOO / "matcher_lite0.safetensors"
MAX_WORDS = 40
"""Words of a caption that count; the longest written one has 37."""
_CACHE_SIZE = 65_536
_AT_ONCE = 256

SentenceVectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Gives unit vectors [B, D] of captions."""


@dataclass(frozen=True)
class MatcherFacts:
    """What a matcher is besides its weights."""

    name: str
    lite: int
    """Number of the EfficientNet-Lite whose features it reads."""
    side: int
    """Side in pixels at which that network sees the pictures."""
    layout: DescriptionLayout
    words: tuple[str, ...]
    """The vocabulary, in the order of the words' numbers."""
    datasets: tuple[str, ...]
    """Names of the datasets whose training photos it was trained on."""
    text_dim: int = 384
    code_dim: int = 256
    hidden_dim: int = 640
    word_dim: int = 160


class Matcher:
    """Codes of pictures and captions, whose product says how well they fit.

    Args:
        network: The towers, frozen.
        facts: What they were trained for.
        digest: SHA-256 of its file, or of whatever it was trained from.
        sentences: The sentence vectors of captions.
    """

    def __init__(
        self,
        network: TextImageMatcher,
        facts: MatcherFacts,
        digest: str,
        sentences: SentenceVectors | None = None,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.facts = facts
        self.digest = digest
        self._vocabulary = Vocabulary(list(facts.words))
        self._sentences = sentences or sentence_vectors
        self._codes: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    @property
    def name(self) -> str:
        """Its name, for cards."""
        return self.facts.name

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets it knows."""
        return self.facts.datasets

    def describe(self, images: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Descriptions [B, I] of pictures [B, 3, R, R] by their frozen maps at the matcher's side."""
        return describe_images(images, features, self.facts.layout)

    def image_codes(self, images: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Unit vectors [B, K] of pictures, with gradient."""
        return self.network.image_codes(self.describe(images, features))

    @torch.no_grad()
    def picture_codes(self, descriptions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Unit vectors [N, K] of pictures by their descriptions [N, I]."""
        chunks = np.array_split(descriptions, max(1, -(-len(descriptions) // _AT_ONCE)))
        codes = [
            self.network.image_codes(torch.from_numpy(np.asarray(x, np.float32)).to(self._device))
            for x in chunks
        ]
        return torch.cat(codes).cpu().numpy()

    @torch.no_grad()
    def text_codes(self, captions: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [B, K] of captions; those of the last 65,536 are remembered."""
        new = [caption for caption in dict.fromkeys(captions) if caption not in self._codes]
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            words = word_ids(self._vocabulary, part).to(self._device)
            sentences = torch.from_numpy(self._sentences(part)).to(self._device)
            codes = self.network.text_codes(sentences, words).cpu().numpy()
            self._codes.update(zip(part, codes, strict=True))
        result = np.stack([self._codes[caption] for caption in captions])
        while len(self._codes) > _CACHE_SIZE:
            self._codes.popitem(last=False)
        return result

    @property
    def _device(self) -> torch.device:
        return self.network.log_scale.device

    def save(self, path: Path) -> None:
        """Write it to a file.

        Raises:
            TrainingError: The file can't be written.
        """
        write_weights(path, self.network.state_dict(), asdict(self.facts))


def load_matcher(path: Path) -> Matcher:
    """The matcher in a file.

    Raises:
        TrainingError: It is missing, damaged or no matcher.
    """
    stored = read_weights(path)
    try:
        layout = DescriptionLayout(
            stored.facts["layout"]["thumbnail"], tuple(stored.facts["layout"]["grids"])
        )
        facts = MatcherFacts(
            **stored.facts
            | {
                "layout": layout,
                "words": tuple(stored.facts["words"]),
                "datasets": tuple(stored.facts["datasets"]),
            }
        )
        network = matcher_network(facts, stored.weights["standardise.mean"].numel())
        network.load_state_dict(stored.weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{path} is no text-image matcher: {str(error).splitlines()[0]}") from error
    return Matcher(network, facts, stored.digest)


@lru_cache(maxsize=2)
def shipped_matcher(path: Path = JUDGE_FILE) -> Matcher:
    """One of the two matchers that come with CreativeAI, loaded once.

    Raises:
        TrainingError: Its file is missing or damaged.
    """
    return load_matcher(path)


def matcher_network(facts: MatcherFacts, description_dim: int) -> TextImageMatcher:
    """A matcher's network for descriptions of I numbers, with fresh weights."""
    return TextImageMatcher(
        description_dim,
        facts.text_dim,
        len(facts.words),
        code_dim=facts.code_dim,
        hidden_dim=facts.hidden_dim,
        word_dim=facts.word_dim,
    )


def word_ids(vocabulary: Vocabulary, captions: Sequence[str]) -> Tensor:
    """Numbers of the captions' known words in order, int64 [B, T], then 0."""
    ids = [vocabulary.ids(caption)[:MAX_WORDS] for caption in captions]
    result = torch.zeros(len(ids), max([1, *map(len, ids)]), dtype=torch.int64)
    for row, numbers in zip(result, ids, strict=True):
        row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
    return result


def sentence_vectors(captions: Sequence[str]) -> NDArray[np.float32]:
    """MiniLM's unit vectors [B, 384] of captions; zero for one without a word that it can read."""
    encoder = load_text_encoder("minilm")
    vectors = np.zeros((len(captions), encoder.dim), np.float32)
    for row, caption in zip(vectors, captions, strict=True):
        if encoder.num_known_words(caption):
            row[:] = encoder.encode([caption]).sentence[0]
    return vectors

"""The text-image matcher at work: captions as they are typed, pictures by their frozen features.

Two come with CreativeAI, both trained on the training photos of `birds` and `flowers`. The one on
EfficientNet-Lite2 judges: what "follows the text" means is the same for everybody who has the same file, and
its digest is on every evaluation card. It has a vocabulary of its own, so that it doesn't read captions with
the eyes of what generators are taught by. Its sister on Lite0 guides trainings and reads MiniLM's word
pieces, which know words that no caption has. How they were made: `tools/train_judge.py`.
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
from creativeai.models.conditioning import TextTensors, text_tensors
from creativeai.models.text_image_matcher import DescriptionLayout, TextImageMatcher, describe_images
from creativeai.text import load_text_encoder
from creativeai.text.features import TextFeatures
from creativeai.text.vocabulary import Vocabulary

__all__ = [
    "GUIDE_FILE",
    "JUDGE_FILE",
    "Matcher",
    "MatcherFacts",
    "ReadCaptions",
    "load_matcher",
    "matcher_network",
    "read_captions",
    "reader_of",
    "shipped_matcher",
    "word_numbers",
]

_ZOO = Path(__file__).parent.parent / "zoo" / "judge"
JUDGE_FILE = _ZOO / "matcher_lite2.safetensors"
GUIDE_FILE = _ZOO / "matcher_lite0.safetensors"
_CACHE_SIZE = 65_536
_AT_ONCE = 256

MAX_WORDS = 40
"""Words of a vocabulary that count in a caption; the longest written one has 37."""

ReadCaptions = Callable[[Sequence[str]], TextTensors]
"""Captions as a matcher's caption tower takes them."""


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
    """The vocabulary, in the order of the words' numbers; none where it reads the text encoder's words."""
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
        read: Gives captions as the network takes them.
    """

    def __init__(
        self,
        network: TextImageMatcher,
        facts: MatcherFacts,
        digest: str,
        read: ReadCaptions | None = None,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.facts = facts
        self.digest = digest
        self._read = read or reader_of(facts)
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
            text = self._read(part).to(self._device)
            with torch.autocast(self._device.type, enabled=False):  # in a training's step it may be on
                codes = self.network.text_codes(text).cpu().numpy()
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


def reader_of(facts: MatcherFacts) -> ReadCaptions:
    """How a matcher takes captions: MiniLM's sentence vectors, and numbers of words or its word vectors."""
    if not facts.words:
        return lambda captions: text_tensors(read_captions(captions))
    vocabulary = Vocabulary(list(facts.words))

    def read(captions: Sequence[str]) -> TextTensors:
        words = word_numbers(vocabulary, captions)
        return TextTensors(torch.from_numpy(read_captions(captions).sentence), words, words > 0)

    return read


def word_numbers(vocabulary: Vocabulary, captions: Sequence[str]) -> Tensor:
    """Numbers of the captions' known words in order, int64 [B, T], then 0."""
    numbers = [vocabulary.ids(caption)[:MAX_WORDS] for caption in captions]
    result = torch.zeros(len(numbers), max([1, *map(len, numbers)]), dtype=torch.int64)
    for row, own in zip(result, numbers, strict=True):
        row[: len(own)] = torch.tensor(own, dtype=torch.int64)
    return result


def read_captions(captions: Sequence[str]) -> TextFeatures:
    """MiniLM's vectors of captions; all zero for one without a word that it can read."""
    encoder = load_text_encoder("minilm")
    readable = [bool(encoder.num_known_words(caption)) for caption in captions]
    shape = (len(captions), encoder.max_words, encoder.dim)
    features = TextFeatures(
        np.zeros((shape[0], shape[2]), np.float32), np.zeros(shape, np.float32), np.zeros(shape[:2], np.bool_)
    )
    read = encoder.encode([caption for caption, known in zip(captions, readable, strict=True) if known])
    features.sentence[readable], features.words[readable] = read.sentence, read.words
    features.mask[readable] = read.mask
    return features

"""Do toy birds have the body colour that their sentence names?

    python benchmarks/attribute_accuracy.py --model BUNDLE [--num 500] [--seed 1]

Sentences are those of birds that `toybirds` would draw, the long, middling and short one of them in turn; the
model draws one picture of each. Its colour is the dominant one of its middle, as
`creativeai.data.attributes.body_colour` names it. Ten colours, so chance is 10%. The same rule is applied to
toybirds' own drawings of the same birds at the model's resolution: the most that any model can reach.

Wings, beak, background, size and pose are not read: there is no rule that does.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

import creativeai
from creativeai.data.attributes import body_colour
from creativeai.data.pictures import to_squares
from creativeai.data.sources.toybirds_drawing import draw
from creativeai.data.sources.toybirds_scene import BODY_COLOURS, ToyBird, captions_of, sample_bird
from measuring import report

SENTENCES = ("long", "middling", "short")
"""Birds are asked for by these in turn, as `captions_of` gives them."""
DEFAULT_SEED = 1
"""Datasets are drawn from seed 0 unless told otherwise."""


@dataclass(frozen=True)
class AskedBird:
    """A bird and the sentence by which a model is asked for it."""

    bird: ToyBird
    caption: str


def asked_birds(num: int, seed: int) -> list[AskedBird]:
    """Birds as the dataset has them, each with one of its three sentences."""
    asked = []
    for index in range(num):
        random = np.random.default_rng([seed, index])
        bird = sample_bird(random)
        asked.append(AskedBird(bird, captions_of(bird, random)[index % len(SENTENCES)]))
    return asked


@dataclass(frozen=True)
class Confusion:
    """How often each colour was read where each was asked for."""

    counts: Counter[tuple[str, str]]
    """By (asked, read)."""

    @property
    def accuracy(self) -> float:
        """Share of pictures with the colour asked for."""
        right = sum(count for (asked, read), count in self.counts.items() if asked == read)
        return right / self.counts.total()

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Asked colour to read colour to number."""
        rows: dict[str, dict[str, int]] = {}
        for (asked, read), count in sorted(self.counts.items()):
            rows.setdefault(asked, {})[read] = count
        return rows

    def lines(self) -> Iterator[str]:
        """One for each colour asked for: what was read, the most frequent first."""
        for asked in BODY_COLOURS:
            row = Counter(self.as_dict().get(asked, {}))
            yield f"{asked:>7}: {', '.join(f'{read} {count}' for read, count in row.most_common())}"


def read_colours(asked: Sequence[AskedBird], pictures: Iterable[NDArray[np.uint8]]) -> Confusion:
    """Read the body colour of each bird's picture, uint8 [R, R, 3]."""
    pairs = zip(asked, pictures, strict=True)
    return Confusion(Counter((one.bird.body, body_colour(picture)) for one, picture in pairs))


def drawings(asked: Sequence[AskedBird], resolution: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """The dataset's own pictures of the birds, uint8 [R, R, 3]."""
    for index, one in enumerate(asked):
        yield to_squares(draw(one.bird, [seed, index, 1]), (resolution,))[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="name or folder of a bundle trained on toybirds")
    parser.add_argument("--num", type=int, default=500, help="pictures")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of birds, sentences and pictures")
    arguments = parser.parse_args()
    if arguments.num < len(SENTENCES):
        parser.error(f"--num is {arguments.num}: give {len(SENTENCES)} or more, one a kind of sentence")
    console = Console(stderr=True)

    model = creativeai.load(arguments.model)
    resolution = model.manifest.resolution
    asked = asked_birds(arguments.num, arguments.seed)
    shown = track(list(enumerate(asked)), f"{model.name} draws", console=console, transient=True)
    pictures = [model.pictures(one.caption, seed=arguments.seed + index)[0].pixels for index, one in shown]
    generated = read_colours(asked, pictures)
    by_sentence = {
        name: read_colours(asked[start :: len(SENTENCES)], pictures[start :: len(SENTENCES)]).accuracy
        for start, name in enumerate(SENTENCES)
    }
    drawn = track(drawings(asked, resolution, arguments.seed), "toybirds draws", len(asked), console=console)
    ceiling = read_colours(asked, drawn)
    print("asked: read")
    print(*generated.lines(), sep="\n")
    report(
        "attribute_accuracy",
        f"{model.name}: {generated.accuracy:.1%} of {len(asked)} birds have the body colour asked for, "
        f"by sentence {', '.join(f'{name} {share:.0%}' for name, share in by_sentence.items())} "
        f"(chance 10%; the rule on toybirds' own drawings at {resolution} px: {ceiling.accuracy:.1%})",
        model=model.name,
        num=len(asked),
        accuracy=round(generated.accuracy, 4),
        accuracy_by_sentence={name: round(share, 4) for name, share in by_sentence.items()},
        accuracy_of_drawings=round(ceiling.accuracy, 4),
        confusion=generated.as_dict(),
    )


if __name__ == "__main__":
    main()

"""Does the picture have the colour that the sentence names?

    python benchmarks/colour_obedience.py [--model NAME|PATH] [--num 32] [--photos DATASET]

For each of eight colours, 32 pictures of "a COLOUR bird" with seeds 0 to 31. A picture's colour is the
dominant one of its middle, as `creativeai.data.attributes.body_colour` names it. A colour is obeyed when more
pictures have it than any other.

With --photos, the same rule is applied to the photos of a prepared dataset whose short caption is "a COLOUR
bird": how far the rule itself is to be trusted.
"""

from collections import Counter
from pathlib import Path

import numpy as np

import creativeai
from creativeai.data import CaptionedImages
from creativeai.data.attributes import body_colour
from measuring import option_parser, report

COLOURS = ("red", "yellow", "blue", "green", "orange", "black", "white", "brown")


def article(colour: str) -> str:
    return "an" if colour[0] in "aeiou" else "a"


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--num", type=int, default=32, help="pictures of each colour")
    parser.add_argument("--photos", type=Path, help="a prepared dataset, to try the rule on its photos")
    arguments = parser.parse_args()

    if arguments.photos:
        dataset = CaptionedImages.open(arguments.photos)
        images = dataset.images(max(dataset.meta.resolutions))
        counts = {
            colour: Counter(
                body_colour(images[i])
                for i, record in enumerate(dataset.records)
                if f"{article(colour)} {colour} bird" in record.all_captions
            )
            for colour in COLOURS
        }
        source = f"photos of {dataset.name}"
    else:
        model = creativeai.load(arguments.model)
        counts = {}
        for colour in COLOURS:
            images_of = model.generate(f"{article(colour)} {colour} bird", n=arguments.num, seed=0)
            counts[colour] = Counter(body_colour(np.asarray(image)) for image in images_of)
        source = model.name

    obeyed = []
    for colour, found in counts.items():
        others = max((count for name, count in found.items() if name != colour), default=0)
        if found[colour] > others:
            obeyed.append(colour)
        listing = ", ".join(f"{name} {count}" for name, count in found.most_common())
        print(f"{colour:>7}: {listing}{'' if colour in obeyed else '   <- not obeyed'}")
    report(
        "colour_obedience",
        f"{source}: {len(obeyed)} of {len(COLOURS)} colours obeyed",
        source=source,
        num_obeyed=len(obeyed),
        num_colours=len(COLOURS),
        counts={colour: dict(found) for colour, found in counts.items()},
    )


if __name__ == "__main__":
    main()

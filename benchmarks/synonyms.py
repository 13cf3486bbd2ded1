"""Does a text encoder read a sentence with a synonym as it reads the plain one?

    python benchmarks/synonyms.py [--encoder FOLDER] [--show]

60 sentences with a synonym ("a crimson bird with black wings") stand in `synonyms.jsonl` beside their plain
form ("a red bird with black wings"). They were written before anything was measured by them and have not been
changed since. Each is compared by cosine with

- its plain form and the other 59 plain sentences; then
- these, and the plain form with each other word of the same kind in the word's place: the ten other colours
  ("a pink bird with black wings"), the other sizes, parts or places. That is 61 to 70 in all.

A sentence is right when its plain form is the nearest of them. MiniLM's sentence vectors are measured, or
those of a trained encoder by its folder (`creativeai export` of a text encoder's run); each also after taking
away the mean of all sentences, as generators that standardise their text see them.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creativeai.text import load_text_encoder
from creativeai.text.encoder import encoder_name
from creativeai.text.lexicon import COLOURS
from measuring import report

SENTENCES = Path(__file__).with_suffix(".jsonl")
OTHERS = {
    "colour": list(COLOURS),
    "size": ["small", "large", "fat", "slim", "tall", "medium-sized"],
    "part": [
        "beak",
        "breast",
        "belly",
        "back",
        "legs",
        "head",
        "feathers",
        "centre",
        "flower",
        "tail",
        "wings",
    ],
    "place": ["branch", "lake", "sea", "grass", "field", "rock", "bush", "forest", "beach", "ground", "roof"],
}
"""Plain words of each kind; the sentence's own is among them."""


def with_other_words(plain: str, word: str, kind: str) -> list[str]:
    """The plain sentence saying something else."""
    others = [other for other in OTHERS[kind] if other != word]
    return [with_article(re.sub(rf"\b{word}\b", other, plain, count=1)) for other in others]


def with_article(sentence: str) -> str:
    """The sentence with "a" or "an" as its words need it."""
    return re.sub(r"\ban? (?=(\w))", lambda m: "an " if m[1] in "aeiou" else "a ", sentence)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors [N, D] of length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", type=Path, help="folder of a trained text encoder; MiniLM when left out")
    parser.add_argument("--show", action="store_true", help="print each sentence that is wrong")
    arguments = parser.parse_args()
    folder = arguments.encoder
    encoder = load_text_encoder(encoder_name(folder), folder) if folder else load_text_encoder("minilm")

    rows = [json.loads(line) for line in SENTENCES.read_text().splitlines()]
    plain = [row["plain"] for row in rows]
    others = [with_other_words(row["plain"], row["word"], row["kind"]) for row in rows]
    texts = [row["synonym"] for row in rows] + plain + [text for group in others for text in group]
    raw = np.concatenate([encoder.encode([text]).sentence for text in texts])
    figures: dict[str, int] = {}
    for name, vectors in (("", raw), ("centred_", raw - raw.mean(0))):
        code = dict(zip(texts, unit(vectors), strict=True))
        for among, candidates_of in (
            ("among_sentences", [plain] * len(rows)),
            ("among_other_words_too", [[*plain, *group] for group in others]),
        ):
            right = 0
            for row, candidates in zip(rows, candidates_of, strict=True):
                scores = [float(code[row["synonym"]] @ code[text]) for text in candidates]
                nearest = candidates[int(np.argmax(scores))]
                right += nearest == row["plain"]
                if arguments.show and nearest != row["plain"]:
                    print(f"{name}{among}: {row['synonym']} -> {nearest}")
            figures[f"{name}{among}"] = right
    few, many = figures["among_sentences"], figures["among_other_words_too"]
    centred, centred_many = figures["centred_among_sentences"], figures["centred_among_other_words_too"]
    report(
        "synonyms",
        f"{encoder.name}: of {len(rows)} sentences with a synonym {few} are nearest to their plain form "
        f"among the plain ones, {many} where it stands with other colours, sizes, parts or places too "
        f"({centred} and {centred_many} with the mean taken away)",
        encoder=encoder.name,
        num=len(rows),
        **figures,
    )


if __name__ == "__main__":
    main()

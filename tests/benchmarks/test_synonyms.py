import json
from pathlib import Path

import pytest


def test_sentences_are_sixty_each_with_its_plain_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from synonyms import OTHERS, SENTENCES, with_other_words

    rows = [json.loads(line) for line in SENTENCES.read_text().splitlines()]
    assert len({row["synonym"] for row in rows}) == len({row["plain"] for row in rows}) == 60
    for row in rows:
        assert row["word"] in row["plain"].split() and row["synonym"] != row["plain"]
        others = with_other_words(row["plain"], row["word"], row["kind"])
        assert len(others) == len(set(others)) == len([w for w in OTHERS[row["kind"]] if w != row["word"]])
        assert row["plain"] not in others
    assert "an orange bird on a red leaf" in with_other_words("a red bird on a red leaf", "red", "colour")

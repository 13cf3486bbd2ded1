"""Captions in which an encoder finds no word are counted, and some of their pictures named."""

from creativeai.data.captioned_images import CaptionRecord
from creativeai.data.readable import unreadable_captions
from creativeai.text import load_text_encoder

RECORDS = [
    CaptionRecord("1.jpg", ("a red bird", "\u200b"), "train"),
    CaptionRecord("2.jpg", ("一只红色的鸟", "花"), "train"),
    CaptionRecord("3.jpg", ("a bird",), "test", name_captions=("an owl",)),
]


def test_count_and_names() -> None:
    found = unreadable_captions(RECORDS, load_text_encoder("minilm").num_known_words)

    assert (found.num_captions, found.num_all, found.num_pictures, found.num_wholly) == (3, 6, 2, 1)
    assert found.file_names == ("2.jpg", "1.jpg")
    assert found.line("MiniLM") == (
        "not read by MiniLM: 3 of 6 captions have no word that it knows, of 2 pictures (2.jpg, 1.jpg), "
        "1 of which have no other caption"
    )


def test_all_read() -> None:
    found = unreadable_captions(RECORDS[2:], load_text_encoder("minilm").num_known_words)

    assert found.line("MiniLM") == "read by MiniLM: all 2 captions"


def test_many_pictures_are_cut_short() -> None:
    records = [CaptionRecord(f"{n}.jpg", ("!",), "train") for n in range(9)]

    assert "of 9 pictures (0.jpg, 1.jpg, 2.jpg, ...)" in unreadable_captions(records, lambda text: 0).line(
        "it"
    )

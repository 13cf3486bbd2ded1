"""Tables of any separator and encoding, and lists in their cells as pandas, NumPy and JSON write them."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.sources.captions import captions_of, sentences_in
from creativeai.data.sources.metadata import Description, join_rows, parse_metadata
from creativeai.data.sources.tables import SEPARATORS, caption_keys, open_table
from creativeai.errors import DataError

NAMES = st.from_regex(r"[a-z0-9]{1,8}\.jpg", fullmatch=True)
SENTENCES = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30).filter(
    lambda text: text.strip() and not text.strip().startswith(("[", "("))
)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


def described(content: bytes) -> list[tuple[str, tuple[str, ...]]]:
    rows = [row for _, row in join_rows(parse_metadata(content, "x.csv", is_table=True).rows)]
    return [(row.file_name, row.captions) for row in rows if isinstance(row, Description)]


@given(
    rows=st.lists(st.tuples(NAMES, SENTENCES), min_size=1, max_size=6),
    separator=st.sampled_from(list(SEPARATORS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.sampled_from(
        [("file_name", "text"), ("image", "caption"), (" Image", "Caption "), ("FileName", "TEXT")]
    ),
    told=st.booleans(),
)
def test_any_sentences_come_through_any_table(
    rows: list[tuple[str, str]], separator: str, encoding: str, end: str, header: tuple[str, str], told: bool
) -> None:
    text = io.StringIO()
    if told:
        text.write(f"sep={separator}{end}")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows([header, *rows])
    expected: dict[str, list[str]] = {}
    for name, sentence in rows:
        expected.setdefault(name, []).append(" ".join(sentence.split()))

    assert described(text.getvalue().encode(encoding)) == [
        (name, tuple(its)) for name, its in expected.items()
    ]


@given(st.lists(TEXTS.filter(str.strip), min_size=1, max_size=4))
def test_lists_come_out_of_a_cell_as_they_were(texts: list[str]) -> None:
    # What makes a line of a text is a space in a caption anyway.
    expected = [text.replace("\n", " ").replace("\t", " ").replace("\r", " ") for text in texts]
    assert sentences_in(json.dumps(texts)) == texts
    assert sentences_in(repr(texts)) == expected
    if len(texts) > 1:
        assert sentences_in(repr(tuple(texts))) == expected
    # NumPy breaks long arrays into lines.
    assert sentences_in(str(np.array(texts, dtype=object))) == expected


@given(st.text(max_size=60) | st.text(alphabet="[]()'\", \\\\aux0", max_size=60))
def test_any_cell_is_a_sentence_or_a_list_or_refused(text: str) -> None:
    try:
        found = sentences_in(text)
    except DataError as error:
        assert text.strip().startswith("[") and "\n" not in str(error)
        return
    assert found == [text] or text.strip().startswith(("[", "("))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("['a red boat', 'a boat at sea']", ["a red boat", "a boat at sea"]),
        ("['a red boat' 'a boat at sea']", ["a red boat", "a boat at sea"]),
        ("[u'a red boat', u'caf\\xe9']", ["a red boat", "café"]),
        ("""["the boat's sail", 'it said "no"']""", ["the boat's sail", 'it said "no"']),
        ("['the boat\\'s sail',]", ["the boat's sail"]),
        ("[not a list]", ["[not a list]"]),
        ("(a boat) at sea", ["(a boat) at sea"]),
        ("('a boat')", ["('a boat')"]),
        ("[]", []),
    ],
)
def test_cells_of_lists(cell: str, expected: list[str]) -> None:
    assert sentences_in(cell) == expected


@pytest.mark.parametrize("cell", ["['a red boat', 'a boat at", "['a', nan]", "['a''b']", '["a", '])
def test_cells_of_half_a_list_are_refused(cell: str) -> None:
    with pytest.raises(DataError, match="begins like a list of captions, but isn't a whole one"):
        sentences_in(cell)
    with pytest.raises(DataError, match="begins like a list"):
        captions_of([cell])


def test_pandas_list_in_a_semicolon_table() -> None:
    content = b"file_name;captions;split\r\n1.jpg;['a red boat', 'a boat, at sea'];train\r\n;;\r\n"
    (row,) = [row for _, row in parse_metadata(content, "x.csv", is_table=True).rows]

    assert row == Description("1.jpg", ("a red boat", "a boat, at sea"), None, "train", None)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("file_name,text,text", "text"),
        ("file_name,text,TEXT ", "text"),
        ("file_name;file_name;text", "file_name"),
        ("file_name,caption_1,caption_1", "caption_1"),
        ("file_name,text,label,label", "label"),
    ],
)
def test_column_that_is_there_twice_is_refused(header: str, column: str) -> None:
    with pytest.raises(DataError, match=rf"x\.csv: the first line names column {column} twice"):
        open_table(f"{header}\n1.jpg,a,b\n".encode(), "x.csv")


def test_columns_of_no_use_are_told_and_may_be_there_twice() -> None:
    table = open_table(b",file_name,text,author,author,\n0,1.jpg,a bird,A,B,\n", "x.csv")

    assert table.notes == ("x.csv: columns not used: author, author",)
    assert [row for _, row in table.rows] == [
        {"": "0", "file_name": "1.jpg", "text": "a bird", "author": "B"},
    ]


def test_numbered_captions_are_all_taken() -> None:
    assert caption_keys(("image", "caption2", "caption_1", "text", "text_id")) == [
        "text",
        "caption2",
        "caption_1",
    ]


def test_windows_1252_is_read_and_told() -> None:
    table = open_table("file_name,text\n1.jpg,l’œil – bleu\n".encode("cp1252"), "x.csv")

    assert next(table.rows)[1] == {"file_name": "1.jpg", "text": "l’œil – bleu"}
    assert table.notes == ("x.csv is not UTF-8: read as Windows-1252",)


@pytest.mark.parametrize(
    "content",
    [
        "file_name,text\n1.jpg,tête\n".encode() + b"2.jpg,\xe9\n",  # both at once: damaged UTF-8
        b"file_name,text\n1.jpg,\x81\n",  # means nothing in Windows-1252
    ],
)
def test_damaged_encoding_names_the_line(content: bytes) -> None:
    with pytest.raises(DataError, match=r"x\.csv line \d: not UTF-8: save the file as UTF-8"):
        open_table(content, "x.csv")


@pytest.mark.parametrize(
    "content", [b"\xff\xfea", b"<!DOCTYPE html>", b"version https://git-lfs.github.com/spec/v1"]
)
def test_what_is_no_table(content: bytes) -> None:
    with pytest.raises(DataError, match=r"x\.csv: (broken UTF-16|is a web page|is a git-LFS pointer)"):
        open_table(content, "x.csv")


def test_more_cells_than_columns_names_the_sign() -> None:
    rows = list(open_table(b"file_name;text\n1.jpg;a;b\n2.jpg;a bird;;\n", "x.csv").rows)

    assert str(rows[0][1]) == "more cells than columns: put text with semicolons in quotes"
    assert rows[1] == (3, {"file_name": "2.jpg", "text": "a bird"})

"""Metadata files, read line by line: whatever stands in them gives a description or a clear error."""

import csv
import io
import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.sources.metadata import Description, parse_description, parse_split, read_metadata
from creativeai.errors import DataError

NAMES = st.text(st.characters(categories=("L", "N")), min_size=1).map(lambda name: f"{name}.jpg")
SENTENCES = st.text(st.characters(categories=("L", "N", "P", "S", "Z")), min_size=1).filter(str.strip)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def read(file: Path, content: str | bytes) -> list[tuple[int, Description | DataError]]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_metadata(file).rows)


def read_good(file: Path, content: str | bytes) -> list[Description]:
    rows = read(file, content)
    return [row for _, row in rows if isinstance(row, Description)]


def read_bad(file: Path, content: str | bytes) -> list[tuple[int, str]]:
    return [(number, str(row)) for number, row in read(file, content) if isinstance(row, DataError)]


@pytest.fixture(scope="module")
def jsonl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metadata") / "metadata.jsonl"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metadata") / "metadata.csv"


@given(name=NAMES, sentences=st.lists(SENTENCES, min_size=1, max_size=4), ascii_only=st.booleans())
def test_any_sentences_come_through_json(
    jsonl: Path, name: str, sentences: list[str], ascii_only: bool
) -> None:
    line = json.dumps({"file_name": name, "captions": sentences}, ensure_ascii=ascii_only)
    (row,) = read_good(jsonl, line + "\n")

    assert row.file_name == name
    assert row.captions == tuple(" ".join(sentence.split()) for sentence in sentences)


@given(
    rows=st.lists(st.tuples(NAMES, SENTENCES), min_size=1, max_size=5), end=st.sampled_from(["\n", "\r\n"])
)
def test_any_sentences_come_through_csv(table: Path, rows: list[tuple[str, str]], end: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([("file_name", "text"), *rows])
    found = [(row.file_name, row.captions) for row in read_good(table, text.getvalue())]

    plain = [row for row in rows if not row[1].lstrip().startswith("[")]
    assert found == [(name, (" ".join(sentence.split()),)) for name, sentence in rows] or len(plain) < len(
        rows
    )


@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace"))
)
def test_garbage_never_raises_anything_else(jsonl: Path, table: Path, content: bytes) -> None:
    for file, start in ((jsonl, b""), (table, b""), (table, b"file_name,text\n")):
        try:
            rows = read(file, start + content)
        except DataError as error:
            assert "\n" not in str(error)
            continue
        assert all("\n" not in str(row) for _, row in rows if isinstance(row, DataError))


@given(
    row=st.dictionaries(
        st.sampled_from(["file_name", "captions", "text", "split", "label", "attributes"]), ANYTHING
    )
)
def test_any_row_is_described_or_refused(row: dict[str, Any]) -> None:
    try:
        description = parse_description(row)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert description.captions and all(description.captions)
    assert description.split in (None, "train", "validation", "test")


@given(parts=st.lists(st.sampled_from(["..", ".", "", "a", "b.jpg", "C:", "~", "\\", "..\\"]), min_size=1))
def test_no_file_name_leads_out(parts: list[str]) -> None:
    try:
        description = parse_description({"file_name": "/".join(parts), "text": "a bird"})
    except DataError:
        return
    path = PurePosixPath(description.file_name)
    assert not path.is_absolute() and ".." not in path.parts and path.parts


@pytest.mark.parametrize("value", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "C:/a.jpg", "c:a.jpg"])
def test_path_out_of_the_folder_is_refused(value: str) -> None:
    with pytest.raises(DataError, match="leads out of the folder"):
        parse_description({"file_name": value, "text": "a bird"})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "no file_name"),
        ("", "no file_name"),
        ("  ", "no file_name"),
        (7, "no file_name"),
        (".", "not a file_name"),
        ("a\\b.jpg", "write / instead"),
        ("a\0.jpg", "control characters"),
        ("a\ud800.jpg", "broken Unicode"),
    ],
)
def test_senseless_file_name(value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_description({"file_name": value, "text": "a bird"})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "1.jpg: no captions"),
        ({"captions": []}, "1.jpg: no captions"),
        ({"captions": None, "text": None}, "1.jpg: no captions"),
        ({"text": ""}, "1.jpg: a caption is empty"),
        ({"text": " \t"}, "1.jpg: a caption is empty"),
        ({"captions": ["a bird", ""]}, "1.jpg: a caption is empty"),
        ({"captions": [7]}, "captions must be a sentence or a list of sentences"),
        ({"captions": {"en": "a bird"}}, "captions must be a sentence or a list"),
        ({"text": "a \x07 bird"}, "control characters"),
        ({"text": "a \ud83d bird"}, "broken Unicode"),
        ({"text": "a bird", "split": "holdout"}, "unknown split 'holdout': use train, validation or test"),
        ({"text": "a bird", "label": ["owl"]}, "label must be"),
        ({"text": "a bird", "attributes": "red"}, "attributes must be"),
        ({"text": "a bird", "attributes": ["red"]}, "attributes must be"),
        ({"text": "a bird", "attributes": "[" * 100_000}, "attributes must be"),
        ({"text": "a bird", "attributes": {"size": float("nan")}}, "attributes must be"),
        ({"text": "a bird", "attributes": '{"size": 1e999}'}, "attributes must be"),
        ({"text": "['a bird', 'an owl"}, "begins like a list of captions, but isn't a whole one"),
        ({"text": "a bird", "captions": [7]}, "captions must be a sentence or a list of sentences"),
    ],
)
def test_senseless_row(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_description({"file_name": "1.jpg"} | row)


@pytest.mark.parametrize(
    "row",
    [
        {"captions": ["a bird"]},
        {"captions": "a bird"},
        {"text": "a bird"},
        {"text": ["a bird"]},
        {"caption": "  a \n bird "},
        {"captions": None, "caption": "a bird"},
    ],
)
def test_captions_under_any_usual_key(row: dict[str, Any]) -> None:
    assert parse_description({"file_name": "1.jpg"} | row).captions == ("a bird",)


@pytest.mark.parametrize(
    ("row", "captions"),
    [
        ({"captions": ["a bird", "an owl"], "text": "a gull"}, ("a bird", "an owl", "a gull")),
        ({"text": "a gull", "caption": "a gull"}, ("a gull",)),
        ({"caption": "a gull", "captions": []}, ("a gull",)),
        ({"caption_1": "a gull", "caption_2": "an owl", "caption": "a bird"}, ("a bird", "a gull", "an owl")),
        ({"text": "['a red boat', \"a boat's sail\"]"}, ("a red boat", "a boat's sail")),
        ({"comment": "a gull"}, ("a gull",)),
        ({"comment": "out of focus", "text": "a gull"}, ("a gull",)),
    ],
)
def test_captions_of_all_keys_count(row: dict[str, Any], captions: tuple[str, ...]) -> None:
    assert parse_description({"file_name": "1.jpg"} | row).captions == captions


@pytest.mark.parametrize("key", ["image", "image_name", "filename", "img"])
def test_picture_under_any_usual_key(key: str) -> None:
    assert parse_description({key: "1.jpg", "text": "a"}).file_name == "1.jpg"


def test_json_key_that_is_there_twice_is_refused(jsonl: Path) -> None:
    good = '{"file_name": "1.jpg", "text": "a bird"}'
    content = f'{good}\n{{"file_name": "2.jpg", "text": "a bird", "text": "an owl"}}\n'

    assert read_bad(jsonl, content) == [
        (2, "'text' is there twice: keep one of them, or make a list of both")
    ]
    assert len(read_good(jsonl, content)) == 1


def test_everything_a_row_may_say() -> None:
    row = {
        "file_name": "./a//1.jpg",
        "text": "a bird",
        "split": "Test",
        "label": 7,
        "attributes": {"body": "red"},
    }

    assert parse_description(row) == Description("a/1.jpg", ("a bird",), "7", "test", {"body": "red"})


def test_split_names() -> None:
    assert [
        parse_split(name) for name in ("train", "validation", "val", "valid", "dev", "test", "", None)
    ] == [
        "train",
        *["validation"] * 4,
        "test",
        None,
        None,
    ]


def test_broken_json_lines_are_numbered(jsonl: Path) -> None:
    good = '{"file_name": "1.jpg", "text": "a bird"}'
    content = f'{good}\n\n{{"file_name": "2.jpg", \n[1]\n{"[" * 100_000}\n{good}\n'

    bad = read_bad(jsonl, content)
    assert [number for number, _ in bad] == [3, 4, 5]
    assert "broken JSON" in bad[0][1] and "not a JSON object" in bad[1][1] and "broken JSON" in bad[2][1]
    assert len(read_good(jsonl, content)) == 2


def test_byte_order_mark_does_no_harm(jsonl: Path, table: Path) -> None:
    assert len(read_good(jsonl, b'\xef\xbb\xbf{"file_name": "1.jpg", "text": "a bird"}')) == 1
    assert len(read_good(table, b"\xef\xbb\xbffile_name,text\r\n1.jpg,a bird\r\n")) == 1


def test_line_separators_in_a_sentence_end_no_line(jsonl: Path, table: Path) -> None:
    assert read_good(jsonl, '{"file_name": "1.jpg", "text": "a\u2028bird"}')[0].captions == ("a bird",)
    assert read_good(table, "file_name,text\n1.jpg,a\u2028bird\n")[0].captions == ("a bird",)


def test_wrong_encoding_names_the_line(jsonl: Path) -> None:
    line = '{"file_name": "1.jpg", "text": "a bird"}\n'

    with pytest.raises(DataError, match=r"metadata\.jsonl line 3: not UTF-8"):
        read(jsonl, line.encode() * 2 + line.replace("bird", "m\xf6we").encode("latin-1"))
    with pytest.raises(DataError, match="UTF-16: save it as UTF-8"):
        read(jsonl, line.encode("utf-16"))


def test_metadata_that_is_a_lfs_pointer(jsonl: Path) -> None:
    with pytest.raises(DataError, match="is a git-LFS pointer instead of the file: run git lfs pull"):
        read(jsonl, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def test_csv_cells(table: Path) -> None:
    content = (
        "file_name,captions,split,label\n"
        '1.jpg,"[""a bird"", ""a red bird""]",train,owl\n'
        '2.jpg,"a bird, red",,\n'
        "3.jpg,[not a list],test,\n"
    )
    assert read_good(table, content) == [
        Description("1.jpg", ("a bird", "a red bird"), "owl", "train", None),
        Description("2.jpg", ("a bird, red",), None, None, None),
        Description("3.jpg", ("[not a list]",), None, "test", None),
    ]


def test_csv_attributes_are_json(table: Path) -> None:
    content = 'file_name,text,attributes\n1.jpg,a bird,"{""body"": ""red""}"\n2.jpg,a bird,red\n'

    assert read_good(table, content)[0].attributes == {"body": "red"}
    assert read_bad(table, content) == [(3, "2.jpg: attributes must be an object of names and values")]


def test_csv_line_with_too_many_or_too_few_cells(table: Path) -> None:
    bad = read_bad(table, "file_name,text\n1.jpg,a bird, red\n2.jpg\n")

    assert bad[0] == (2, "more cells than columns: put text with commas in quotes")
    assert bad[1][0] == 3 and "no captions" in bad[1][1]


@pytest.mark.parametrize("header", ["", "file_name:text", "file_name", "text", "name,text", "name;text"])
def test_csv_without_its_columns(table: Path, header: str) -> None:
    with pytest.raises(
        DataError, match=r"file_name and text .or image and caption. are needed in the first line, found"
    ):
        read(table, f"{header}\n1.jpg,a bird\n")


def test_csv_with_an_open_quote_names_the_line(table: Path) -> None:
    with pytest.raises(DataError, match=r"metadata\.csv line \d+: broken CSV"):
        read(table, 'file_name,text\n1.jpg,"a bird\n2.jpg,a bird\n')

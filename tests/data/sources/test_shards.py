"""WebDataset shards and Parquet files: read one after the other, refused as a whole when one is damaged."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data import CaptionedImages, prepare
from creativeai.data.prepare import Prepared
from creativeai.data.sources.shards import chosen_of, split_of_shard
from creativeai.errors import DataError
from data.official import jpeg, write_files, write_tar

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def made(source: str, root: Path, **options: Any) -> tuple[Prepared, CaptionedImages]:
    out = root.parent / f"out_{root.name}_{len(list(root.parent.glob('out_*')))}"
    return prepare(source, out, root=root, resolutions=(16,), **options), CaptionedImages.open(out)


def error_of(source: str, root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepare(source, root.parent / "out", root=root, resolutions=(16,))
    assert "\n" not in str(caught.value) and not (root.parent / "out").exists()
    return str(caught.value)


def shard(first: int) -> dict[str, bytes]:
    return {
        f"{first:04}.jpg": jpeg(first),
        f"{first:04}.txt": b"bird %d\r\n" % first,
        f"{first:04}.cls": b"7\n",
        f"deep/{first + 1:04}.png": jpeg(first + 1),
        f"deep/{first + 1:04}.json": json.dumps({"caption": ["an owl", "a grey owl"], "width": 3}).encode(),
        f"{first + 2:04}.webp": jpeg(first + 2),
        f"{first + 2:04}.seg.npy": b"not used",
        f"{first + 2:04}.json": b'{"sentences": [{"raw": "a gull"}]}',
        "README.md": b"no picture",
    }


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_webdataset(tmp_path: Path, suffix: str) -> None:
    root = tmp_path / "birds"
    write_tar(root / f"train-000000.{suffix}", shard(0))
    write_tar(root / f"test/000000.{suffix}", shard(10))
    prepared, dataset = made("webdataset", root)
    found = {record.file_name: record for record in dataset.records}

    assert len(found) == 6 and prepared.report()[1] == "found: 2 shards"
    first = found[f"train-000000.{suffix}/0000"]
    assert (first.captions, first.label, first.split) == (("bird 0",), "7", "train")
    assert found[f"train-000000.{suffix}/deep/0001"].captions == ("an owl", "a grey owl")
    assert found[f"test/000000.{suffix}/0012"].captions == ("a gull",)
    assert dataset.meta.splits == {"train": 3, "validation": 0, "test": 3}


def test_captions_of_all_files_of_a_key_count(tmp_path: Path) -> None:
    """img2dataset writes the caption into both a .txt and a .json that says more of the picture."""
    files = {
        "1.jpg": jpeg(1),
        "1.txt": b"a bird",
        "1.json": json.dumps({"caption": "a bird", "url": "x", "text": ["an owl"], "width": 3}).encode(),
        "2.jpg": jpeg(2),
        "2.txt": b"a gull",
        "2.caption": b"a white gull",
        "2.json": b'[{"box": [1, 2, 3, 4]}]',
        "3.jpg": jpeg(3),
        "3.txt": b"a duck",
        "3.json": b'{"text": {"position": 3}}',
    }
    _, dataset = made("webdataset", write_tar(tmp_path / "a.tar", files))

    assert [r.captions for r in dataset.records] == [
        ("a bird", "an owl"),
        ("a gull", "a white gull"),
        ("a duck",),
    ]


def test_few_pictures_of_webdataset_are_the_same_each_time(tmp_path: Path) -> None:
    for number in range(3):
        write_tar(tmp_path / "birds" / f"{number}.tar", shard(10 * number))
    _, few = made("webdataset", tmp_path / "birds", num_pictures=4)
    _, again = made("webdataset", tmp_path / "birds", num_pictures=4)
    _, others = made("webdataset", tmp_path / "birds", num_pictures=4, seed=1)

    assert len(few) == 4 and few.records == again.records and few.records != others.records


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0000.txt": b""}, "no captions"),
        ({"0002.json": b"{"}, "the .json is damaged"),
        ({"0002.json": b'{"text": "a", "text": "b"}'}, "'text' is there twice"),
        ({"0000.txt": b"<!DOCTYPE html>"}, "the captions are a web page"),
        ({"0002.json": b"[1]"}, "the .json has none of captions, text, caption, sentences"),
        ({"0000.JPG": b"x"}, "0000 has two .jpg files"),
        ({"0000.cls": b"\x07\x08"}, "the .cls is not a class"),
        ({"0009.jpg": b"x"}, "no captions: .txt or .json of the same key are looked for"),
        ({"0000.jpg": b"x"}, "not a picture"),
        ({"../x.jpg": b"x"}, "leads out of it"),
    ],
)
@pytest.mark.parametrize("suffix", ["tar", "tgz"])
def test_webdataset_with_a_damaged_part(
    tmp_path: Path, change: dict[str, bytes], message: str, suffix: str
) -> None:
    path = write_tar(tmp_path / f"birds.{suffix}", shard(0) | change)

    assert message in error_of("webdataset", path)


def test_no_shards(tmp_path: Path) -> None:
    root = write_files(tmp_path / "birds", {"a.txt": b"x"})

    assert "has no .tar or .tar.gz or .tgz files" in error_of("webdataset", root)
    assert "has no .parquet files" in error_of("parquet", root)
    for source in ("webdataset", "parquet"):
        assert "no such file or folder" in error_of(source, tmp_path / "nowhere")
        with pytest.raises(DataError, match=f"{source} needs --from"):
            prepare(source, tmp_path / "out")
    outside = write_tar(tmp_path / "else" / "x.tar", shard(0))
    (root / "x.tar").symlink_to(outside)
    assert "a link leads out of the folder" in error_of("webdataset", root)
    assert "the shards hold no pictures" in error_of(
        "webdataset", write_tar(tmp_path / "e.tar", {"a.txt": b"x"})
    )


def write_parquet(path: Path, columns: dict[str, list[Any]], metadata: dict[str, Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns)
    if metadata is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    parquet.write_table(table, path, row_group_size=3)
    return path


def images(num: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"bytes": jpeg(first + n), "path": f"{n}.jpg"} for n in range(num)]


def test_parquet_of_hugging_face(tmp_path: Path) -> None:
    root = tmp_path / "birds"
    features = {"info": {"features": {"label": {"names": ["gull", "owl"]}}}}
    captions = [[f"bird {n}", "a bird"] for n in range(7)]
    columns = {"image": images(7), "captions": captions, "label": [0, 1, 1, 0, 5, 0, 1]}
    write_parquet(root / "data/train-00000-of-00002.parquet", columns, features)
    write_parquet(root / "data/test-00000-of-00001.parquet", {"image": images(2, 7), "text": ["a", "b"]})
    prepared, dataset = made("parquet", root)
    found = {record.file_name: record for record in dataset.records}

    assert prepared.report()[1] == "found: 2 Parquet files with 9 rows"
    record = found["data/train-00000-of-00002.parquet/0000001"]
    assert (record.captions, record.label, record.split) == (("bird 1", "a bird"), "owl", "train")
    assert found["data/train-00000-of-00002.parquet/0000004"].label == "5"
    assert found["data/test-00000-of-00001.parquet/0000001"].split == "test"
    index = dataset.records.index(record)
    _, one = made("text_files", write_files(tmp_path / "one", {"1.jpg": jpeg(1), "1.txt": b"a"}))
    assert np.array_equal(dataset.images(16)[index], one.images(16)[0])


def test_parquet_of_plain_bytes_and_sentences(tmp_path: Path) -> None:
    columns = {
        "jpg": [jpeg(0), jpeg(1)],
        "sentences": [[{"raw": "a gull"}], [{"raw": "an owl"}, {"raw": "it"}]],
    }
    _, dataset = made("parquet", write_parquet(tmp_path / "x.parquet", columns))

    assert [record.captions for record in dataset.records] == [("a gull",), ("an owl", "it")]
    _, few = made("parquet", tmp_path / "x.parquet", num_pictures=1)
    assert len(few) == 1


def test_parquet_with_captions_in_several_columns_and_lists_in_a_text(tmp_path: Path) -> None:
    columns = {
        "image": images(3),
        "caption": ["a gull", "an owl", None],
        "text": ["a gull", None, "['a duck', 'a swan']"],
    }
    _, dataset = made("parquet", write_parquet(tmp_path / "x.parquet", columns))

    assert [record.captions for record in dataset.records] == [("a gull",), ("an owl",), ("a duck", "a swan")]


def test_parquet_with_two_columns_of_one_name(tmp_path: Path) -> None:
    arrays = [pyarrow.array(images(1)), pyarrow.array(["a"]), pyarrow.array(["b"])]
    parquet.write_table(pyarrow.table(arrays, names=["image", "text", "text"]), tmp_path / "x.parquet")

    assert "has two columns called text: keep one, or rename it" in error_of(
        "parquet", tmp_path / "x.parquet"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["a"]}, "has no column of pictures"),
        ({"image": [b"a"]}, "has no column of captions"),
        (
            {"image": [{"bytes": None, "path": "/etc/passwd"}], "text": ["a"]},
            "row 1: no picture: only its path",
        ),
        ({"image": [b"no picture"], "text": ["a"]}, "row 1: not a picture"),
        ({"image": [jpeg(0)], "text": [None]}, "row 1: the captions are neither sentences"),
        ({"image": [jpeg(0)], "text": [3]}, "row 1: the captions are neither sentences"),
        ({"image": [jpeg(0)], "text": [" "]}, "row 1: no captions"),
    ],
)
def test_parquet_with_odd_columns(tmp_path: Path, columns: dict[str, list[Any]], message: str) -> None:
    assert message in error_of("parquet", write_parquet(tmp_path / "x.parquet", columns))


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"PAR1PAR1", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_files_that_are_no_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)

    assert "x.parquet is " in error_of("parquet", path)


def test_damaged_parquet_raises_data_errors_only(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "x.parquet", {"image": images(4), "text": [f"bird {n}" for n in range(4)]}
    )
    content = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(2)
    for number in range(60):
        changed = content.copy()
        changed[random.integers(0, len(content), 3)] = random.integers(0, 256, 3)
        end = None if random.random() < 0.7 else random.integers(len(content))
        path.write_bytes(changed[:end].tobytes())
        try:
            prepare("parquet", tmp_path / f"out{number}", root=path, resolutions=(8,))
        except DataError as error:
            assert "\n" not in str(error) and not (tmp_path / f"out{number}").exists()


def test_damaged_shards_raise_data_errors_only(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    for suffix in ("tar", "tgz"):
        path = write_tar(tmp_path / f"x.{suffix}", shard(0))
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for number in range(40):
            changed = content.copy()
            changed[random.integers(0, len(content), 3)] = random.integers(0, 256, 3)
            end = None if random.random() < 0.7 else random.integers(len(content))
            path.write_bytes(changed[:end].tobytes())
            out = tmp_path / f"out{suffix}{number}"
            try:
                prepare("webdataset", out, root=path, resolutions=(8,))
            except DataError as error:
                assert "\n" not in str(error) and not out.exists()


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00005.parquet", "train"),
        ("data/validation-0.tar", "validation"),
        ("test/0000.parquet", "test"),
        ("train.tar", "train"),
        ("training_day.tar", "train"),
        ("trains-0.tar", None),
        ("00000.tar", None),
        ("default/test/0.parquet", "test"),
    ],
)
def test_split_in_the_name_of_a_shard(name: str, split: str | None) -> None:
    assert split_of_shard(name) == split


@given(st.lists(st.text(max_size=5), unique=True), st.integers(1, 20), st.integers(0, 3))
def test_choice_is_as_large_as_asked_for(names: list[str], num_pictures: int, seed: int) -> None:
    chosen, num = chosen_of(iter(names), num_pictures, seed)

    assert num == min(num_pictures, len(names))
    assert chosen is None or (chosen <= set(names) and len(chosen) == num)
    assert chosen_of(iter(names), None, seed) == (None, len(names))


def test_pictures_of_a_shard_are_read_from_memory_alone(tmp_path: Path) -> None:
    content = io.BytesIO(jpeg(0)).getvalue()
    _, dataset = made("webdataset", write_tar(tmp_path / "a.tgz", {"1.jpg": content, "1.txt": b"a"}))

    assert len(dataset) == 1

"""COCO, Flickr, Karpathy's lists and folders of text files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data import CaptionedImages, prepare
from creativeai.data.prepare import Prepared
from creativeai.data.sources.captions import captions_of, clean_captions, parse_caption_file
from creativeai.data.sources.flickr import parse_table, parse_tokens
from creativeai.errors import DataError
from data.official import coco_captions, jpeg, write_files, write_tar, write_zip


def made(source: str, root: Path, **options: bool) -> tuple[Prepared, CaptionedImages]:
    out = root.parent / f"out_{root.name}"
    prepared = prepare(source, out, root=root, resolutions=(16,), **options)  # type: ignore[arg-type]
    return prepared, CaptionedImages.open(out)


def error_of(source: str, root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepare(source, root.parent / "out", root=root, resolutions=(16,))
    assert "\n" not in str(caught.value) and not (root.parent / "out").exists()
    return str(caught.value)


def coco(year: int = 2014) -> dict[str, bytes]:
    files = {}
    for split, num in (("train", 4), ("val", 2)):
        files[f"annotations/captions_{split}{year}.json"] = coco_captions(split, num)
        files |= {f"{split}{year}/{split}_{n}.jpg": jpeg(n + num) for n in range(num)}
    return files


@pytest.mark.parametrize("year", [2014, 2017])
def test_coco_in_folders_and_zips(tmp_path: Path, year: int) -> None:
    files = coco(year)
    prepared, dataset = made("coco", write_files(tmp_path / "a", files))
    for part in ("annotations", f"train{year}", f"val{year}"):
        name = f"annotations_trainval{year}" if part == "annotations" else part
        write_zip(tmp_path / "b" / f"{name}.zip", {n: files[n] for n in files if n.startswith(part)})
    zipped, again = made("coco", tmp_path / "b")

    assert dataset.records == again.records and prepared.info.digest == zipped.info.digest
    assert dataset.meta.splits["test"] == 2 and dataset.name == f"coco{year}"
    assert dataset.records[1].captions == ("scene 1 told 0", "scene 1 told 1")
    expected = {2014: "82,783", 2017: "118,287"}[year]
    assert f"differs: 4 train pictures, but {expected} are published" in prepared.report()


def test_coco_of_both_years(tmp_path: Path) -> None:
    assert "captions of both 2014 and 2017" in error_of(
        "coco", write_files(tmp_path / "a", coco() | coco(2017))
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is damaged or cut off"),
        (b"[" * 100_000, "is damaged or cut off"),
        (b"[]", "is not COCO's captions"),
        (b'{"images": [], "annotations": [{"image_id": [], "caption": "a"}]}', "is not COCO's captions"),
        (b'{"images": [{"id": 1, "file_name": 2}], "annotations": []}', "is not COCO's captions"),
        (b'{"images": [{"id": 1, "file_name": "train_0.jpg"}], "annotations": []}', "no captions"),
        (
            b'{"images": [{"id": 1, "file_name": "../../x\\n.jpg"}], "annotations": []}',
            "the picture is missing",
        ),
    ],
)
def test_coco_with_damaged_captions(tmp_path: Path, content: bytes, message: str) -> None:
    files = coco() | {"annotations/captions_train2014.json": content}

    assert message in error_of("coco", write_files(tmp_path / "a", files)).replace("COCO's list of", "COCO's")


def flickr8k() -> dict[str, bytes]:
    tokens = [f"{n}_a.jpg#{i}\tscene {n} told {i} ." for n in range(4) for i in range(5)]
    tokens.append("gone_b.jpg.1#0\tan unlisted one")
    files = {f"Flicker8k_Dataset/{n}_a.jpg": jpeg(n) for n in range(4)}
    return files | {
        "Flickr8k.token.txt": "\r\n".join(tokens).encode(),
        "Flickr_8k.trainImages.txt": b"0_a.jpg\n2_a.jpg\n",
        "Flickr_8k.devImages.txt": b"1_a.jpg\n",
        "Flickr_8k.testImages.txt": b"3_a.jpg\n",
    }


def test_flickr8k(tmp_path: Path) -> None:
    prepared, dataset = made("flickr", write_files(tmp_path / "a", flickr8k()))

    assert [(record.file_name, record.split) for record in dataset.records] == [
        ("0_a.jpg", "train"),
        ("2_a.jpg", "train"),
        ("1_a.jpg", "validation"),
        ("3_a.jpg", "test"),
    ]
    assert dataset.records[1].captions[4] == "scene 2 told 4 ."
    assert "not used: 1 pictures in none of the lists" in prepared.report()


def test_flickr30k_tokens_with_pictures_in_a_tar(tmp_path: Path) -> None:
    files = flickr8k()
    root = write_files(tmp_path / "a", {"results_20130124.token": b"0_a.jpg#0\ta\n1_a.jpg#0\tb\n"})
    write_tar(root / "flickr30k-images.tar", {n: files[n] for n in files if n.endswith(".jpg")})
    prepared, dataset = made("flickr", root)

    assert [record.captions for record in dataset.records] == [("a",), ("b",)]
    splits = dataset.meta.splits
    assert prepared.report()[1].startswith("found: ") and str(splits["train"]) in prepared.report()[1]
    assert "differs: 2 pictures, but 31,783 are published" in prepared.report()
    assert any("published split: none" in line for line in prepared.report())


def test_flickr30k_as_its_authors_pack_it(tmp_path: Path) -> None:
    """One compressed tar with the captions, and another with the pictures."""
    files = flickr8k()
    root = tmp_path / "a"
    write_tar(root / "flickr30k.tar.gz", {"results_20130124.token": b"0_a.jpg#0\ta\n1_a.jpg#0\tb\n"})
    write_tar(root / "flickr30k-images.tar.gz", {n: files[n] for n in files if n.endswith(".jpg")})
    _, dataset = made("flickr", root)

    assert {record.captions for record in dataset.records} == {("a",), ("b",)}


def kaggle(table: str, header: str, row: str) -> dict[str, bytes]:
    """As Kaggle has Flickr: pictures in a folder, and a table with five rows a picture."""
    lines = [header, *(row.format(n=n, i=i) for n in range(4) for i in range(5))]
    files = {f"Images/{n}_a.jpg": jpeg(n) for n in range(4)}
    return files | {table: "".join(f"{line}\n" for line in lines).encode()}


KAGGLE = {
    "flickr8k": ("captions.txt", "image,caption", '{n}_a.jpg,"scene {n} , told {i} ."'),
    "flickr30k": (
        "results.csv",
        "image_name| comment_number| comment",
        "{n}_a.jpg| {i}| scene {n} , told {i} .",
    ),
    "flickr30k_commas": (
        "captions.txt",
        "image_name,comment_number,comment",
        '{n}_a.jpg,{i},"scene {n} , told {i} ."',
    ),
}


@pytest.mark.parametrize("form", KAGGLE)
@pytest.mark.parametrize("packed", ["folder", "archive.zip"])
def test_flickr_as_people_download_it(tmp_path: Path, form: str, packed: str) -> None:
    files = kaggle(*KAGGLE[form])
    root = write_files(tmp_path / "a", files) if packed == "folder" else tmp_path / "a"
    if packed != "folder":
        write_zip(root / packed, files)
    prepared, dataset = made("flickr", root)

    assert [record.file_name for record in dataset.records] == [f"{n}_a.jpg" for n in range(4)]
    assert dataset.records[2].captions == tuple(f"scene 2 , told {i} ." for i in range(5))
    assert dataset.name == "flickr8k"
    splits = ", ".join(f"{split} {num:,} pictures" for split, num in dataset.meta.splits.items() if num)
    assert prepared.report()[1:3] == [f"found: {splits}", "differs: 4 pictures, but 8,091 are published"]
    folder = tmp_path / "b"
    _, again = made("folder", write_files(folder, files))
    assert [r.captions for r in again.records] == [r.captions for r in dataset.records]


def test_kaggles_flickr8k_with_the_published_lists(tmp_path: Path) -> None:
    lists = {name: content for name, content in flickr8k().items() if name.startswith("Flickr_8k")}
    prepared, dataset = made("flickr", write_files(tmp_path / "a", kaggle(*KAGGLE["flickr8k"]) | lists))

    assert dataset.meta.splits["train"] == 2 and dataset.meta.splits["test"] == 1
    assert prepared.report()[1:4] == [
        "found: train 2 pictures, validation 1 pictures, test 1 pictures",
        "differs: 2 train pictures, but 6,000 are published",
        "differs: 1 validation pictures, but 1,000 are published",
    ]


def test_row_of_kaggles_flickr30k_without_a_caption(tmp_path: Path) -> None:
    """The published table has one such row, in which a bar is missing."""
    files = kaggle(*KAGGLE["flickr30k"])
    files["results.csv"] = files["results.csv"].replace(b"1_a.jpg| 4| scene", b"1_a.jpg| 4   scene")
    prepared, dataset = made("flickr", write_files(tmp_path / "a", files))

    assert len(dataset.records[1].captions) == 4 and len(dataset.records[2].captions) == 5
    assert any(
        "not used: 1 rows of " in line and "the first is line 11" in line for line in prepared.report()
    )


def test_flickr_without_lists_counts_what_is_used(tmp_path: Path) -> None:
    files = flickr8k()
    lists = ("Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt")
    root = write_files(tmp_path / "a", {name: files[name] for name in files if name not in lists})
    (root / "Flicker8k_Dataset/0_a.jpg").write_bytes(jpeg(0)[:200])
    prepared, dataset = made("flickr", root, skip_bad=True)
    splits = ", ".join(f"{split} {num:,} pictures" for split, num in dataset.meta.splits.items() if num)

    assert prepared.report()[1:3] == [f"found: {splits}", "differs: 3 pictures, but 8,091 are published"]
    assert "not used: 1 names of no picture, such as gone_b.jpg.1" in prepared.report()


def test_sentences_with_unicode_line_separators_are_one_caption(tmp_path: Path) -> None:
    tokens = "0_a.jpg#0\ta boat\u2028at sea\n1_a.jpg#0\ta\x0cbird\u0085there\n"
    files = {"results_20130124.token": tokens.encode(), "images/0_a.jpg": jpeg(0), "images/1_a.jpg": jpeg(1)}
    _, dataset = made("flickr", write_files(tmp_path / "a", files))

    assert [record.captions for record in dataset.records] == [("a boat at sea",), ("a bird there",)]
    assert parse_caption_file("a boat\u2028at sea\nb".encode("utf-16")) == ("a boat at sea", "b")


@pytest.mark.parametrize(
    "stand_in", [b"<!DOCTYPE html><html></html>", b"version https://git-lfs.github.com/spec/v1\n"]
)
@pytest.mark.parametrize("name", ["Flickr8k.token.txt", "Flickr_8k.trainImages.txt"])
def test_list_that_is_a_web_page_or_a_pointer_says_so(tmp_path: Path, stand_in: bytes, name: str) -> None:
    message = error_of("flickr", write_files(tmp_path / "a", flickr8k() | {name: stand_in}))

    assert f"{name} is a web page" in message or f"{name} is a git-LFS pointer" in message


def karpathy(name: str, splits: tuple[str, ...] = ("train", "restval", "val", "test")) -> dict[str, bytes]:
    images = [
        {"filename": f"{n}_a.jpg", "split": split, "sentences": [{"raw": f"scene {n}", "tokens": ["scene"]}]}
        for n, split in enumerate(splits)
    ]
    files = {n: content for n, content in flickr8k().items() if n.endswith(".jpg")}
    return files | {name: json.dumps({"images": images, "dataset": "x"}).encode()}


@pytest.mark.parametrize("name", ["dataset_flickr8k.json", "dataset_flickr30k.json", "dataset_coco.json"])
def test_karpathys_lists(tmp_path: Path, name: str) -> None:
    prepared, dataset = made("flickr", write_files(tmp_path / "a", karpathy(name)))

    assert [record.split for record in dataset.records] == ["train", "train", "validation", "test"]
    assert dataset.records[3].captions == ("scene 3",)
    assert prepared.report()[1] == "found: train 2 pictures, validation 1 pictures, test 1 pictures"


def test_karpathys_list_with_an_unknown_split_or_several_lists(tmp_path: Path) -> None:
    root = write_files(tmp_path / "a", karpathy("dataset_coco.json", ("train", "odd")))
    assert "picture 1 has no new filename or no split" in error_of("flickr", root)
    both = karpathy("dataset_coco.json") | karpathy("dataset_flickr8k.json")
    assert "captions of COCO 2014 and Flickr8k" in error_of(
        "flickr", write_files(tmp_path / "b", both)
    ).replace("the captions", "captions")


@given(st.binary(max_size=200) | st.text(alphabet="a,;|\t\n\"'[]#é", max_size=200).map(str.encode))
def test_any_table_gives_captions_or_a_data_error(content: bytes) -> None:
    for start in (b"", b"image,caption\n", b"image|comment\n"):
        try:
            captions, _ = parse_table(start + content, "captions.txt")
        except DataError as error:
            assert "\n" not in str(error)
            continue
        assert all(name and "/" not in name and its for name, its in captions.items())


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda s: (
            st.lists(s, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "images",
                        "filename",
                        "split",
                        "sentences",
                        "raw",
                        "annotations",
                        "id",
                        "file_name",
                        "caption",
                        "image_id",
                    ]
                ),
                s,
                max_size=4,
            )
        ),
    )
)
def test_any_json_raises_data_errors_only(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    base = tmp_path_factory.getbasetemp() / "json"
    encoded = json.dumps(content).encode()
    write_files(base / "flickr", {"dataset_coco.json": encoded})
    captions = {"captions_train2014.json": encoded, "captions_val2014.json": encoded}
    write_files(base / "coco", captions | {"train2014/1.jpg": b"x", "val2014/1.jpg": b"x"})
    for source in ("flickr", "coco"):
        with pytest.raises(DataError):
            prepare(source, base / "out", root=base / source)


def text_files() -> dict[str, bytes]:
    return {
        "train/1.jpg": jpeg(1),
        "train/1.txt": "\ufeffa bird\r\n\r\n  a   small bird \r\n".encode(),
        "test/2.PNG": jpeg(2),
        "test/2.txt": b"un oiseau b\xe9b\xe9",
        "3.jpg": jpeg(3),
        "3.txt": "an owl".encode("utf-16"),
    }


@pytest.mark.parametrize("name", ["folder", "x.zip", "x.tar", "x.tgz"])
def test_text_files(tmp_path: Path, name: str) -> None:
    write = write_files if name == "folder" else write_zip if name == "x.zip" else write_tar
    _, dataset = made("text_files", write(tmp_path / name, text_files()))
    found = {record.file_name: record for record in dataset.records}

    assert found["train/1.jpg"].captions == ("a bird", "a small bird")
    assert found["test/2.PNG"].captions == ("un oiseau bébé",)
    assert found["3.jpg"].captions == ("an owl",)
    assert [found[key].split for key in ("train/1.jpg", "test/2.PNG")] == ["train", "test"]


def test_text_files_with_one_missing_or_empty(tmp_path: Path) -> None:
    files = text_files() | {"3.txt": b" \r\n\t"}
    assert "3.jpg: no captions: the text is empty" in error_of(
        "text_files", write_files(tmp_path / "a", files)
    )
    del files["3.txt"]
    assert "has no 3.txt" in error_of("text_files", write_files(tmp_path / "b", files))
    prepared, dataset = made("text_files", tmp_path / "b", skip_bad=True)
    assert len(dataset) == 2 and len(prepared.left_out) == 1
    assert "has no pictures" in error_of("text_files", write_files(tmp_path / "c", {"a.txt": b"x"}))


@pytest.mark.parametrize("name", ["folder", "x.zip", "x.tgz"])
def test_text_files_of_other_names(tmp_path: Path, name: str) -> None:
    files = {
        "1.PNG": jpeg(1),
        "1.TXT": b"a bird",
        "2.png": jpeg(2),
        "2.png.txt": b"an owl",
        "3.png": jpeg(3),
        "3.txt": b"a gull\nit",
        "3.png.txt": b"it\na white gull",
    }
    write = write_files if name == "folder" else write_zip if name == "x.zip" else write_tar
    prepared, dataset = made("text_files", write(tmp_path / name, files))

    assert {r.file_name: r.captions for r in dataset.records} == {
        "1.PNG": ("a bird",),
        "2.png": ("an owl",),
        "3.png": ("a gull", "it", "a white gull"),
    }
    assert "3" in prepared.report()[0] and "no pictures" not in prepared.report()[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html><body>404</body></html>", "the captions are a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "the captions are a git-LFS pointer"),
    ],
)
def test_captions_that_are_a_web_page_or_a_pointer(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in error_of(
        "text_files", write_files(tmp_path / "a", {"1.png": jpeg(1), "1.txt": content})
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("the bird\u2019s \u201cred\u201d wing".encode("cp1252"), ("the bird\u2019s \u201cred\u201d wing",)),
        (b"a bird\nan owl", ("a bird", "an owl")),
        (b"a bird\ran owl\r\n", ("a bird", "an owl")),
        ("Müller's\nMüller's".encode(), ("Müller's", "Müller's")),
        ("UTF-8 é\n".encode() + b"Latin-1 \xe9", ("UTF-8 é", "Latin-1 é")),
        ("a \ufffd\ufffd bird".encode(), ("a bird",)),
        (b"a\x00 bird\x07 \x1b[31m", ("a bird [31m",)),
    ],
)
def test_caption_files(content: bytes, expected: tuple[str, ...]) -> None:
    assert parse_caption_file(content) == expected


@given(st.binary(max_size=300))
def test_any_caption_file_gives_clean_captions_or_a_data_error(content: bytes) -> None:
    try:
        captions = parse_caption_file(content)
    except DataError:
        return
    for caption in captions:
        assert caption == " ".join(caption.split()) and caption
        assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in caption)
        caption.encode()


@given(st.lists(st.text(alphabet="ab é'", min_size=1, max_size=20), min_size=1, max_size=5))
def test_captions_are_kept_word_for_word(captions: list[str]) -> None:
    expected = tuple(" ".join(caption.split()) for caption in captions if caption.strip())
    if expected:
        assert clean_captions(captions) == captions_of([{"raw": c} for c in captions]) == expected
        assert parse_caption_file("\n".join(captions).encode()) == expected


@pytest.mark.parametrize("value", [None, 3, [], "", [1], [{"raw": 1}], {"other": "a"}, ["a"] * 1001])
def test_values_that_are_no_captions(value: object) -> None:
    with pytest.raises(DataError):
        captions_of(value)


@pytest.mark.parametrize("line", ["a.jpg#0", "a.jpg\tb", "a.jpg#x\tb", "a\x07.jpg#0\tb"])
def test_broken_lines_of_tokens(line: str) -> None:
    with pytest.raises(DataError, match="tokens: "):
        parse_tokens(["a.jpg#0\tb", line], "tokens")


def test_digest_does_not_depend_on_how_pictures_are_packed(tmp_path: Path) -> None:
    files = {f"{n}.jpg": jpeg(n) for n in range(20)} | {f"{n}.txt": b"bird %d" % n for n in range(20)}
    ordered = dict(sorted(files.items()))
    digests = {
        made("text_files", write(tmp_path / name, ordered))[0].info.digest
        for name, write in (
            ("f", write_files),
            ("z.zip", write_zip),
            ("t.tar", write_tar),
            ("g.tgz", write_tar),
        )
    }
    assert len(digests) == 1


def test_pictures_are_those_of_the_files(tmp_path: Path) -> None:
    files = {f"{n}.jpg": jpeg(n) for n in range(3)} | {f"{n}.txt": b"a" for n in range(3)}
    _, packed = made("text_files", write_tar(tmp_path / "x.tgz", files))
    rows = [json.dumps({"file_name": f"{n}.jpg", "text": "a"}) for n in range(3)]
    root = write_files(tmp_path / "f", files | {"metadata.jsonl": "\n".join(rows).encode()})
    _, plain = made("folder", root)

    assert np.array_equal(packed.images(16), plain.images(16))

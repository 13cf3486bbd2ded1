"""The folder source: Hugging Face's layouts are read, and every bad input has its own one-line error."""

import json
from pathlib import Path

import pytest
from PIL import Image

from creativeai.data import CaptionedImages, prepare
from creativeai.data.sources.folder import open_folder
from creativeai.data.splits import split_of
from creativeai.errors import DataError
from data.conftest import MakeFolder, noise_picture, save_picture


def records_of(root: Path, out: Path) -> list[tuple[str, str]]:
    prepare("folder", out, root=root, resolutions=(8,))
    return [(record.file_name, record.split) for record in CaptionedImages.open(out).records]


def error_of(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepare("folder", root.parent / "out", root=root, resolutions=(8,))
    message = str(caught.value)
    assert "\n" not in message and not (root.parent / "out").exists()
    return message.removesuffix(" (run with --skip-bad to leave such pictures out)")


def test_csv_metadata(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"})
    (root / "metadata.jsonl").unlink()
    (root / "metadata.csv").write_text("file_name,text\n1.png,a bird\n")

    assert [name for name, _ in records_of(root, tmp_path / "out")] == ["1.png"]


def test_split_folders_with_metadata_each(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    for folder in ("train", "validation", "test"):
        noise_picture(len(folder)).save(save_picture(root / folder / "1.png"))
        (root / folder / "metadata.jsonl").write_text('{"file_name": "1.png", "text": "a bird"}\n')

    assert records_of(root, tmp_path / "out") == [
        ("test/1.png", "test"),
        ("train/1.png", "train"),
        ("validation/1.png", "validation"),
    ]


def test_split_folders_under_one_metadata(make_folder: MakeFolder, tmp_path: Path) -> None:
    names = [f"{folder}/{number}.png" for folder in ("train", "test") for number in range(10)]
    root = make_folder(*({"file_name": name, "text": "a bird"} for name in names))

    records = dict(records_of(root, tmp_path / "out"))
    assert {split for name, split in records.items() if name.startswith("test/")} == {"test"}
    held_out = [name for name, split in records.items() if name.startswith("train/") and split != "train"]
    assert held_out == [name for name in names[:10] if split_of(name) == "validation"]


def test_split_in_the_line_wins_over_the_folder(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"file_name": "train/1.png", "text": "a bird", "split": "val"})

    assert records_of(root, tmp_path / "out") == [("train/1.png", "validation")]


def test_licence_and_title_come_from_the_dataset_card(make_folder: MakeFolder) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"})
    (root / "README.md").write_text(
        '---\nlicense: cc-by-4.0\npretty_name: "My birds"\n---\n# Birds\nlicense: no\n'
    )
    source = open_folder(root, None, 0)

    assert (source.licence, source.title) == ("cc-by-4.0", "My birds")


@pytest.mark.parametrize(
    "content", ["", "# Birds\nlicense: cc0\n", "---\nlicense:\n---\n", "---\nlicense: cc0\n"]
)
def test_readme_without_a_card_states_no_licence(make_folder: MakeFolder, content: str) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"})
    (root / "README.md").write_text(content)

    assert open_folder(root, None, 0).licence == "not stated"


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DataError, match="folder needs --from DIR"):
        open_folder(None, None, 0)
    with pytest.raises(DataError, match="nowhere: no such folder"):
        open_folder(tmp_path / "nowhere", None, 0)
    with pytest.raises(DataError, match="file: not a folder"):
        open_folder(tmp_path / "file", None, 0)


def test_no_metadata(tmp_path: Path) -> None:
    save_picture(tmp_path / "pictures" / "1.png")

    assert "has no metadata.jsonl or metadata.csv: write one line per picture" in error_of(
        tmp_path / "pictures"
    )


def test_two_metadata_files(make_folder: MakeFolder) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"})
    (root / "metadata.csv").write_text("file_name,text\n1.png,a bird\n")

    assert "both metadata.jsonl and metadata.csv: keep one of them" in error_of(root)


def test_broken_line_is_named(make_folder: MakeFolder) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"}, '{"file_name": "2.png", "text"')

    assert error_of(root).startswith(f"{root}/metadata.jsonl line 2: broken JSON (")


def test_several_lines_of_one_picture_are_its_captions(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder(
        {"file_name": "1.png", "text": "a bird"},
        {"file_name": "2.png", "text": "a bird"},
        {"file_name": "./1.png", "text": "an owl", "label": "owl"},
    )
    prepare("folder", tmp_path / "out", root=root, resolutions=(8,))
    records = CaptionedImages.open(tmp_path / "out").records

    assert [(r.file_name, r.captions, r.label) for r in records] == [
        ("1.png", ("a bird", "an owl"), "owl"),
        ("2.png", ("a bird",), None),
    ]


def test_lines_of_one_picture_that_contradict_each_other(make_folder: MakeFolder) -> None:
    row = {"file_name": "1.png", "text": "a bird", "split": "train"}
    root = make_folder(row, row | {"split": "val"})

    assert error_of(root) == (
        f"{root}/metadata.jsonl line 2: 1.png: "
        "its split is 'validation' here, but 'train' at line 1: make them agree"
    )


def test_picture_described_in_two_files_names_both(make_folder: MakeFolder) -> None:
    root = make_folder({"file_name": "train/1.png", "text": "a bird"})
    (root / "train" / "metadata.csv").write_text("file_name,text\n1.png,an owl\n")

    assert error_of(root) == (
        f"{root}/train/metadata.csv line 2: train/1.png: described before, at metadata.jsonl line 1: "
        "describe it in one of the files"
    )


def flickr8k(root: Path, table: str = "captions.txt") -> Path:
    """As Kaggle has Flickr8k: a folder Images, and a table with five rows a picture, sorted by name."""
    rows = ["image,caption"]
    for number in range(4):
        noise_picture(number).save(save_picture(root / "Images" / f"100{number}_a.jpg"))
        rows += [
            f'100{number}_a.jpg,"A child , told {n} ."' if n else f"100{number}_a.jpg,A child ."
            for n in range(5)
        ]
    (root / table).write_text("".join(f"{row}\n" for row in rows))
    return root


@pytest.mark.parametrize("table", ["captions.txt", "captions.csv", "Captions.TSV"])
def test_flickr8k_as_people_download_it(tmp_path: Path, table: str) -> None:
    root = flickr8k(tmp_path / "flickr8k", table)
    (root / "notes.txt").write_text("downloaded on Monday\n")
    prepare("folder", tmp_path / "out", root=root, resolutions=(8,))
    records = CaptionedImages.open(tmp_path / "out").records

    assert [record.file_name for record in records] == [f"Images/100{n}_a.jpg" for n in range(4)]
    assert {record.captions for record in records} == {
        ("A child .", *(f"A child , told {n} ." for n in range(1, 5)))
    }


def test_few_pictures_of_a_folder_that_lacks_others(tmp_path: Path) -> None:
    root = flickr8k(tmp_path / "flickr8k")
    (root / "Images" / "1001_a.jpg").unlink()
    assert "1001_a.jpg: the picture is missing" in error_of(root)

    made = prepare("folder", tmp_path / "some", root=root, num_pictures=50, resolutions=(8,))
    assert made.info.num_pictures == 3 and not made.left_out


def test_row_without_a_caption_is_left_out_alone(tmp_path: Path) -> None:
    root = flickr8k(tmp_path / "flickr8k")
    with (root / "captions.txt").open("a") as file:
        file.write("1000_a.jpg,\n")
    assert "captions.txt line 22: 1000_a.jpg: no captions" in error_of(root)

    made = prepare("folder", tmp_path / "out", root=root, skip_bad=True, resolutions=(8,))
    assert len(made.left_out) == 1 and made.info.num_pictures == 4


def test_message_mentions_the_table_that_is_there(tmp_path: Path) -> None:
    root = flickr8k(tmp_path / "flickr8k")
    (root / "captions.txt").write_text("id;words\n1;a bird\n")
    message = error_of(root)

    assert (
        "has no metadata.jsonl or metadata.csv (captions.txt is there, but columns file_name and text"
        in message
    )
    assert "found 'id', 'words')" in message
    (root / "captions.txt").write_text("<!DOCTYPE html>")
    assert "(captions.txt is there, but is a web page saved under this name" in error_of(root)


def test_message_names_the_source_for_a_text_file_beside_each_picture(tmp_path: Path) -> None:
    save_picture(tmp_path / "pictures" / "1.png")
    (tmp_path / "pictures" / "1.txt").write_text("a bird\n")

    assert (
        "(1.txt is there, but lies beside a picture of its name: creativeai data prepare text_files"
        in error_of(tmp_path / "pictures")
    )


def test_prepared_dataset_is_no_folder_of_pictures(good_folder: Path, tmp_path: Path) -> None:
    prepare("folder", tmp_path / "set", root=good_folder, resolutions=(8,))

    assert "(it is a prepared dataset, which training reads as it is)" in error_of(tmp_path / "set")


def test_two_tables_of_any_name(tmp_path: Path) -> None:
    root = flickr8k(flickr8k(tmp_path / "flickr8k"), "captions.csv")

    assert "has captions.csv and captions.txt: call the one to read metadata.csv, or keep one" in error_of(
        root
    )


def test_table_that_is_read_as_windows_1252_says_so(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"})
    (root / "metadata.jsonl").unlink()
    (root / "metadata.csv").write_bytes(
        "file_name;text;author\n1.png;une tête bleue, l’œil noir;Zoë\n".encode("cp1252")
    )
    made = prepare("folder", tmp_path / "out", root=root, resolutions=(8,))

    assert CaptionedImages.open(tmp_path / "out").records[0].captions == ("une tête bleue, l’œil noir",)
    assert made.report()[1:3] == [
        f"{root}/metadata.csv is not UTF-8: read as Windows-1252",
        f"{root}/metadata.csv: columns not used: author",
    ]


@pytest.mark.parametrize("captions", [None, [], "", ["a bird", " "]])
def test_captions_missing_or_empty(make_folder: MakeFolder, captions: object) -> None:
    message = error_of(make_folder({"file_name": "1.png", "captions": captions}))

    assert "metadata.jsonl line 1: 1.png: " in message and "caption" in message


def make_bad_picture(kind: str, path: Path) -> None:
    match kind:
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(path.read_bytes()[:500])
        case "1-pixel":
            Image.new("RGB", (1, 1)).save(path)
        case "not a picture":
            path.write_text("hello")
        case "empty":
            path.write_bytes(b"")
        case "pointer":
            path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
        case "folder":
            path.unlink()
            path.mkdir()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "the picture is missing"),
        ("truncated", "the picture is truncated: replace it"),
        ("1-pixel", "too small: 1 x 1 pixels, at least 8 x 8 are needed"),
        ("not a picture", "not a picture, or of a kind that can't be read: use JPEG, PNG or WebP"),
        ("empty", "the file is empty"),
        ("pointer", "is a git-LFS pointer instead of a picture: run git lfs pull"),
        ("folder", "not a file"),
    ],
)
def test_bad_picture_names_file_and_line(make_folder: MakeFolder, kind: str, message: str) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"}, {"file_name": "2.png", "text": "a bird"})
    make_bad_picture(kind, root / "2.png")

    assert error_of(root) == f"{root}/metadata.jsonl line 2: 2.png: {message}"


def test_cmyk_16_bit_and_animated_pictures_are_accepted(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder(*({"file_name": f"{number}.png", "text": "a bird"} for number in range(3)))
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(root / "0.png", "JPEG")
    Image.new("I;16", (16, 16), 65535).save(root / "1.png")
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("blue", "red")]
    frames[0].save(root / "2.png", "GIF", save_all=True, append_images=frames[1:])
    prepare("folder", tmp_path / "out", root=root, resolutions=(8,))

    middles = CaptionedImages.open(tmp_path / "out").images(8)[:, 4, 4].astype(int)
    assert abs(middles - [[255, 0, 0], [255, 255, 255], [0, 0, 255]]).max() < 15


@pytest.mark.parametrize("value", ["../secret.png", "/etc/secret.png", "a/../../secret.png"])
def test_path_out_of_the_folder(make_folder: MakeFolder, tmp_path: Path, value: str) -> None:
    save_picture(tmp_path / "secret.png")
    root = make_folder(json.dumps({"file_name": value, "text": "a bird"}))

    assert error_of(root).endswith(f"{value}: the path leads out of the folder: pictures must be inside it")


def test_link_out_of_the_folder(make_folder: MakeFolder, tmp_path: Path) -> None:
    save_picture(tmp_path / "elsewhere" / "secret.png")
    root = make_folder('{"file_name": "1.png", "text": "a"}', '{"file_name": "deep/secret.png", "text": "b"}')
    (root / "1.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    (root / "deep").symlink_to(tmp_path / "elsewhere")

    assert "line 1: 1.png: a link leads out of the folder: copy the picture into it (and 1 more" in error_of(
        root
    )


def test_link_inside_the_folder_and_a_linked_folder_are_fine(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"}, '{"file_name": "2.png", "text": "a bird"}')
    (root / "2.png").symlink_to("1.png")
    (tmp_path / "link").symlink_to(root)

    assert len(records_of(tmp_path / "link", tmp_path / "out")) == 2


def test_link_to_itself(make_folder: MakeFolder) -> None:
    root = make_folder('{"file_name": "1.png", "text": "a bird"}')
    (root / "1.png").symlink_to("1.png")

    assert "line 1: 1.png: " in error_of(root)

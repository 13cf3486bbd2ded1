"""CUB, Oxford-102, AttnGAN's and StackGAN's folders: unpacked or as archives, in the split of the papers."""

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creativeai.data import CaptionedImages, prepare
from creativeai.data.pictures import to_squares
from creativeai.data.prepare import Prepared
from creativeai.data.sources import SOURCES
from creativeai.data.sources.base import Problem, SourcePicture
from creativeai.data.sources.class_split import Published, check_classes, count_notes
from creativeai.data.sources.cub200 import PUBLISHED, bird_crop
from creativeai.data.sources.oxford102 import PUBLISHED as PUBLISHED_FLOWERS
from creativeai.data.sources.oxford102 import open_oxford102
from creativeai.errors import DataError
from data.official import (
    BIRDS,
    array_pickle,
    bird_keys,
    captions_pickle,
    cub_files,
    jpeg,
    mat_bytes,
    pickle_2,
    reed_files,
    split_pickles,
    text_files,
    write_files,
    write_tar,
    write_zip,
)

HELD_OUT = list(BIRDS)[-1]
Opened = tuple[Prepared, CaptionedImages]


def made(source: str, root: Path, **options: bool | int) -> Opened:
    out = root.parent / f"out_{source}_{len(list(root.parent.glob('out_*')))}"
    prepared = prepare(source, out, root=root, resolutions=(16,), **options)  # type: ignore[arg-type]
    return prepared, CaptionedImages.open(out)


def error_of(source: str, root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepare(source, root.parent / "out", root=root, resolutions=(16,))
    assert "\n" not in str(caught.value) and not (root.parent / "out").exists()
    return str(caught.value)


def without(files: dict[str, bytes], part: str) -> dict[str, bytes]:
    rest = {name: content for name, content in files.items() if part not in name}
    assert len(rest) < len(files)
    return rest


def cub_unpacked(root: Path) -> Path:
    return write_files(root, cub_files() | reed_files())


def cub_downloaded(root: Path) -> Path:
    write_tar(root / "CUB_200_2011.tgz", cub_files())
    write_tar(root / "cvpr2016_cub.tar.gz", reed_files())
    return root


def cub_with_attngans_lists(root: Path) -> Path:
    write_files(root, cub_files())
    write_zip(root / "birds.zip", split_pickles("birds/") | text_files("birds/text/"))
    return root


@pytest.mark.parametrize("make", [cub_unpacked, cub_downloaded, cub_with_attngans_lists])
def test_cub_is_the_same_from_every_form(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    prepared, dataset = made("cub200", make(tmp_path / "birds"))

    assert [record.file_name for record in dataset.records] == [f"{key}.jpg" for key in bird_keys()]
    for record in dataset.records:
        assert record.label == record.file_name.partition("/")[0]
        assert record.split == ("test" if record.label == HELD_OUT else "train")
        assert record.captions[0].startswith(f"{record.file_name[-5]} a bird")
        assert len(record.captions) == (2 if make is cub_with_attngans_lists else 10)
    assert prepared.report()[1:-3] == [
        "found: train 5 pictures of 2 classes, test 2 pictures of 1 classes",
        "differs: 5 train pictures, but 8,855 are published",
        "differs: 2 train classes, but 150 are published",
        "differs: 2 test pictures, but 2,933 are published",
        "differs: 1 test classes, but 50 are published",
        "checked: no class is in both splits",
    ]
    assert prepared.report()[-3].startswith("published split: by class, ")


def test_cub_crops_to_the_bird_before_squaring(tmp_path: Path) -> None:
    _, dataset = made("cub200", cub_unpacked(tmp_path / "birds"))
    # The box 8 6 16 12 has its middle at 16 12 and a radius of 12: from 4 0 to 28 24.
    with Image.open(io.BytesIO(jpeg(0))) as picture:
        expected = to_squares(picture.crop((4, 0, 28, 24)), (16,))[0]

    assert bird_crop(8, 6, 16, 12) == (4, 0, 28, 24)
    assert np.array_equal(dataset.images(16)[0], expected)


@pytest.mark.parametrize(
    "source", ["cub200", "attngan", "stackgan", "oxford102", "coco", "flickr", "text_files"]
)
def test_every_source_asks_for_its_folder(tmp_path: Path, source: str) -> None:
    with pytest.raises(DataError, match=f"{source} needs --from DIR"):
        prepare(source, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / "empty") in error_of(source, tmp_path / "empty")
    assert "no such file or folder" in error_of(source, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"CUB_200_2011/images.txt": b"1 001.A/1.jpg\n1 001.A/2.jpg"},
            "images.txt: not a new number and a path",
        ),
        ({"CUB_200_2011/images.txt": b"x 001.A/1.jpg"}, "images.txt: not a new number and a path"),
        ({"CUB_200_2011/bounding_boxes.txt": b"1 2 3 4"}, "bounding_boxes.txt: not a number and a box"),
        ({"CUB_200_2011/bounding_boxes.txt": b"1 2 3 4 nan"}, "bounding_boxes.txt: not a number and a box"),
        (
            {"CUB_200_2011/bounding_boxes.txt": b"2 8 6 16 12"},
            "has no line in bounding_boxes.txt (and 5 more",
        ),
        (
            {"CUB_200_2011/image_class_labels.txt": b"1 1\n6 1"},
            "image_class_labels.txt doesn't fit images.txt",
        ),
        ({"cvpr2016_cub/testclasses.txt": next(iter(BIRDS)).encode()}, "is in both splits"),
        ({f"CUB_200_2011/images/{bird_keys()[0]}.jpg": b"no picture"}, "not a picture"),
        ({f"cvpr2016_cub/text_c10/{bird_keys()[0]}.txt": b" \n\r\n"}, "no captions: the text is empty"),
        ({"CUB_200_2011/bounding_boxes.txt": b"1 500 500 3 3"}, "bounding box leaves fewer than 8 x 8"),
    ],
)
def test_cub_with_a_damaged_part(tmp_path: Path, change: dict[str, bytes], message: str) -> None:
    root = write_files(tmp_path / "birds", cub_files() | reed_files() | change)

    assert message in error_of("cub200", root)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("images.txt", "has no images.txt (the list of pictures in CUB_200_2011)"),
        ("bounding_boxes", "has no CUB_200_2011/bounding_boxes.txt"),
        ("text_c10", "has no text_c10/ or text/ (the captions)"),
        ("trainvalclasses", "has no split: looked for trainvalclasses.txt and testclasses.txt (Reed's lists"),
        ("testclasses", "has no cvpr2016_cub/testclasses.txt"),
        (f"images/{bird_keys()[2]}", "the picture is missing (run with --skip-bad"),
        (
            f"text_c10/{bird_keys()[2]}",
            f"has no cvpr2016_cub/text_c10/{bird_keys()[2]}.txt (run with --skip-bad",
        ),
    ],
)
def test_cub_with_a_missing_part(tmp_path: Path, part: str, message: str) -> None:
    root = write_files(tmp_path / "birds", without(cub_files() | reed_files(), part))

    assert message in error_of("cub200", root)


@pytest.mark.parametrize("make", [cub_unpacked, cub_downloaded])
def test_incomplete_copy_goes_on_with_skip_bad_or_few_pictures(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    root = make(tmp_path / "birds")
    if make is cub_downloaded:
        write_tar(root / "CUB_200_2011.tgz", without(cub_files(), f"images/{bird_keys()[1]}"))
    else:
        (root / f"CUB_200_2011/images/{bird_keys()[1]}.jpg").unlink()
    prepared, dataset = made("cub200", root, skip_bad=True)
    _, few = made("cub200", root, skip_bad=True, num_pictures=3)

    assert len(dataset) == 6 and len(prepared.left_out) == 1 and len(few) == 3
    assert "the picture is missing" in str(prepared.left_out[0])


@pytest.mark.parametrize("num_pictures", [3, 50])
def test_some_pictures_of_a_copy_that_lacks_others(tmp_path: Path, num_pictures: int) -> None:
    """Who downloads a tenth of CUB to try it has lists that name all 11,788."""
    files = cub_files() | reed_files()
    gone = [f"CUB_200_2011/images/{key}.jpg" for key in bird_keys()[::3]]
    root = write_files(tmp_path / "birds", {name: files[name] for name in files if name not in gone})
    prepared, dataset = made("cub200", root, num_pictures=num_pictures)

    assert len(dataset) == min(4, num_pictures) and not prepared.left_out
    parts = []
    for split in ("train", "test"):
        labels = [record.label for record in dataset.records if record.split == split]
        parts += [f"{split} {len(labels)} pictures of {len(set(labels))} classes"] if labels else []
    assert prepared.report()[1] == f"found: {', '.join(parts)} (chosen of 4)"
    assert f"not there: 3 pictures, such as {root}: {gone[0]}" in prepared.report()
    assert not [line for line in prepared.report() if line.startswith("differs")]
    (root / f"CUB_200_2011/images/{bird_keys()[1]}.jpg").write_bytes(b"damaged")
    with pytest.raises(DataError, match="not a picture"):
        made("cub200", root, num_pictures=50)


def test_copy_without_any_picture_says_so(tmp_path: Path) -> None:
    root = write_files(tmp_path / "birds", without(cub_files() | reed_files(), "images/"))
    with pytest.raises(DataError, match="the picture is missing"):
        prepare("cub200", tmp_path / "out", root=root, num_pictures=5, resolutions=(16,))


def own_split() -> dict[str, bytes]:
    """CUB's own list, as its archive has it: a picture's number, and whether it is trained on."""
    lines = [f"{number} {number % 2}" for number in range(1, len(bird_keys()) + 1)]
    return {"CUB_200_2011/train_test_split.txt": "".join(f"{line}\n" for line in lines).encode()}


def test_cub_without_lists_of_classes_has_its_own_split(tmp_path: Path) -> None:
    files = without(cub_files() | reed_files(), "classes.txt") | own_split()
    prepared, dataset = made("cub200", write_files(tmp_path / "birds", files))

    assert [record.split for record in dataset.records] == ["train", "test"] * 3 + ["train"]
    report = prepared.report()
    assert report[1:4] == [
        "found: train 4 pictures, test 3 pictures",
        "differs: 4 train pictures, but 5,994 are published",
        "differs: 3 test pictures, but 5,794 are published",
    ]
    assert (
        "published split: by picture, CUB's own train_test_split.txt, since there are no trainvalclasses.txt"
        in report[4]
    )
    # With the lists of classes it is not looked at.
    _, by_class = made("cub200", write_files(tmp_path / "both", cub_files() | reed_files() | own_split()))
    assert [record.split for record in by_class.records] == ["train"] * 5 + ["test"] * 2


@pytest.mark.parametrize("line", ["8 1", "1 2", "1", "x 1", "1 1\n1 1", "99999999999 1"])
def test_cub_with_a_damaged_split_of_its_own(tmp_path: Path, line: str) -> None:
    files = without(cub_files() | reed_files(), "classes.txt")
    files["CUB_200_2011/train_test_split.txt"] = f"{line}\n".encode()

    assert "train_test_split.txt: not a new number and 0 or 1: " in error_of(
        "cub200", write_files(tmp_path / "birds", files)
    )


@pytest.mark.parametrize("source", ["cub200", "attngan"])
def test_counts_agree_with_what_is_used_after_skip_bad(tmp_path: Path, source: str) -> None:
    """A damaged picture is found out when it is decoded, long after the lists were counted."""
    root = write_files(tmp_path / "birds", cub_files() | split_pickles() | text_files())
    (root / f"CUB_200_2011/images/{bird_keys()[0]}.jpg").write_bytes(jpeg(0)[:300])
    prepared, dataset = made(source, root, skip_bad=True)

    assert dataset.meta.splits["train"] == 4
    assert "4 train, 0 validation, 2 test" in prepared.report()[0]
    assert prepared.report()[1] == "found: train 4 pictures of 2 classes, test 2 pictures of 1 classes"


def test_archive_inside_of_an_archive_and_a_link_to_a_folder_are_named(tmp_path: Path) -> None:
    root = write_files(tmp_path / "birds", cub_files())
    inner = write_zip(tmp_path / "text.zip", text_files())
    write_zip(root / "birds.zip", split_pickles("birds/") | {"birds/text.zip": inner.read_bytes()})
    assert "archives inside of archives aren't read" in error_of("cub200", root)

    other = write_files(tmp_path / "other", split_pickles() | text_files())
    (other / "CUB_200_2011").symlink_to(root / "CUB_200_2011")
    assert "CUB_200_2011 wasn't followed: put the folder itself there" in error_of("cub200", other)


def test_truncated_archive_leaves_nothing(tmp_path: Path) -> None:
    root = cub_downloaded(tmp_path / "birds")
    archive = root / "CUB_200_2011.tgz"
    archive.write_bytes(archive.read_bytes()[:-100])

    assert "CUB_200_2011.tgz is damaged or cut off" in error_of("cub200", root)


def flowers() -> dict[str, bytes]:
    labels = [1, 1, 2, 3, 3, 4]
    mat = mat_bytes("labels", np.array([labels], np.uint8))
    files = {f"jpg/image_{n:05}.jpg": jpeg(n) for n in range(1, 7)} | {"imagelabels.mat": mat}
    for n, label in enumerate(labels, 1):
        # Latin-1 bytes and lost characters do occur in the published texts.
        files[f"cvpr2016_flowers/text_c10/class_{label:05}/image_{n:05}.txt"] = (
            b"fl\xe9ur %d\r\nlost \xef\xbf\xbd\xef\xbf\xbd word\n" % n
        )
    lists = {"trainvalclasses.txt": b"class_00001\nclass_00002\n", "testclasses.txt": b"class_00003\r\n"}
    return files | {f"cvpr2016_flowers/{name}": content for name, content in lists.items()}


def test_oxford_flowers_unpacked_and_as_downloaded(tmp_path: Path) -> None:
    files = flowers()
    unpacked, dataset = made("oxford102", write_files(tmp_path / "a", files))
    root = write_files(tmp_path / "b", {"imagelabels.mat": files["imagelabels.mat"]})
    write_tar(root / "102flowers.tgz", {name: files[name] for name in files if name.startswith("jpg/")})
    write_tar(root / "cvpr2016_flowers.tar.gz", without(without(files, "jpg/"), ".mat"))
    downloaded, again = made("oxford102", root)

    assert dataset.records == again.records and unpacked.info.digest == downloaded.info.digest
    assert [(record.file_name[-5:], record.split, record.label) for record in dataset.records] == [
        ("1.jpg", "train", "class_00001"),
        ("2.jpg", "train", "class_00001"),
        ("3.jpg", "train", "class_00002"),
        ("4.jpg", "test", "class_00003"),
        ("5.jpg", "test", "class_00003"),
    ]
    assert dataset.records[0].captions == ("fléur 1", "lost word")
    assert "not used: 1 pictures that are in neither split" in unpacked.report()


def own_flower_split(train: list[int], val: list[int], test: list[int]) -> bytes:
    """Oxford's setid.mat: three matrices in one file."""
    matrices = [("trnid", train), ("valid", val), ("tstid", test)]
    parts = [mat_bytes(name, np.array([numbers], np.uint8)) for name, numbers in matrices]
    return parts[0] + b"".join(part[128:] for part in parts[1:])


def test_oxford_flowers_without_lists_of_classes_have_their_own_split(tmp_path: Path) -> None:
    files = without(flowers(), "classes.txt")
    files["cvpr2016_flowers/text_c10/class_00004/image_00006.txt"] = b"a flower"
    assert "has no split: looked for trainvalclasses.txt and testclasses.txt (Reed's" in error_of(
        "oxford102", write_files(tmp_path / "a", files)
    )
    files["setid.mat"] = own_flower_split([1, 4], [2], [3, 6])
    prepared, dataset = made("oxford102", write_files(tmp_path / "b", files))

    assert [(r.file_name[-5], r.split) for r in dataset.records] == [
        ("1", "train"),
        ("2", "validation"),
        ("3", "test"),
        ("4", "train"),
        ("6", "test"),
    ]
    report = prepared.report()
    assert report[1] == "found: train 2 pictures, validation 1 pictures, test 2 pictures"
    assert "differs: 2 test pictures, but 6,149 are published" in report
    assert any("Oxford's own setid.mat" in line for line in report)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (([1], [2], [1]), "tstid has picture 1, which is in two lists or none"),
        (([1], [7], [2]), "valid has picture 7, which is in two lists or none"),
        (([0], [1], [2]), "the trnid are not numbers of pictures"),
    ],
)
def test_oxford_flowers_with_a_damaged_split(
    tmp_path: Path, lists: tuple[list[int], list[int], list[int]], message: str
) -> None:
    files = without(flowers(), "classes.txt") | {"setid.mat": own_flower_split(*lists)}

    assert f"setid.mat: {message}" in error_of("oxford102", write_files(tmp_path / "a", files))


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file" + bytes(200), b"<html>", bytes(2**20 + 1)])
def test_broken_mat_file(tmp_path: Path, content: bytes) -> None:
    message = error_of("oxford102", write_files(tmp_path / "a", flowers() | {"imagelabels.mat": content}))

    assert "imagelabels.mat" in message


def test_damaged_mat_files_raise_data_errors_only(tmp_path: Path) -> None:
    root = write_files(tmp_path / "a", flowers())
    content = np.frombuffer((root / "imagelabels.mat").read_bytes(), np.uint8)
    random = np.random.default_rng(1)
    for _ in range(60):
        changed = content.copy()
        changed[random.integers(0, len(content), 4)] = random.integers(0, 256, 4)
        (root / "imagelabels.mat").write_bytes(changed[: None if random.random() < 0.7 else 150].tobytes())
        try:
            open_oxford102(root, None, 0)
        except DataError as error:
            assert "\n" not in str(error)


def attngan_birds() -> dict[str, bytes]:
    return cub_files() | split_pickles() | text_files()


def test_attngan_birds(tmp_path: Path) -> None:
    prepared, dataset = made("attngan", write_files(tmp_path / "birds", attngan_birds()))
    _, cub = made("cub200", write_files(tmp_path / "cub", attngan_birds()))

    assert dataset.records[0].captions == ("0 a bird", "its second caption")
    assert [record.split for record in dataset.records] == ["train"] * 5 + ["test"] * 2
    assert "pictures are cropped to the bounding boxes of the birds" in prepared.report()
    assert np.array_equal(dataset.images(16), cub.images(16))


def test_attngan_captions_out_of_the_pickle(tmp_path: Path) -> None:
    files = without(attngan_birds(), "text/") | {"captions.pickle": captions_pickle()}
    prepared, dataset = made("attngan", write_files(tmp_path / "birds", files))

    assert dataset.records[0].captions == ("a bird", "bird a")
    assert dataset.records[-1].captions == ("a third bird", "third")
    assert "captions: captions.pickle" in prepared.report()


def test_attngan_without_boxes_takes_whole_pictures_and_numbers_of_classes(tmp_path: Path) -> None:
    files = (
        {f"images/{key}.jpg": jpeg(n) for n, key in enumerate(bird_keys())} | split_pickles() | text_files()
    )
    _, dataset = made("attngan", write_files(tmp_path / "scenes", files))
    with Image.open(io.BytesIO(jpeg(0))) as picture:
        expected = to_squares(picture, (16,))[0]

    assert np.array_equal(dataset.images(16)[0], expected)
    assert {record.label for record in dataset.records} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"captions.pickle": pickle_2([1, 2])}, "is not AttnGAN's"),
        ({"captions.pickle": pickle_2([[[1]], [[1]], {}, {}])}, "1 captions for the 5 pictures of train"),
        (
            {"captions.pickle": pickle_2([[[9]] * 5, [[9]] * 2, {1: "a"}, {}])},
            "number of a word that isn't there",
        ),
        ({"captions.pickle": pickle_2([[3] * 5, [3] * 2, {1: "a"}, {}])}, "not a list of the numbers"),
        ({"captions.pickle": pickle_2([[[0]] * 5, [[0]] * 2, {0: "<end>"}, {}])}, "no captions"),
        ({"captions.pickle": b"cos\nsystem\n(S'touch evil'\ntR."}, "asks for os.system"),
        ({"train/filenames.pickle": pickle_2([1])}, "is not a list of names"),
        (
            {"train/filenames.pickle": pickle_2(["a/b", "a/b"]), "train/class_info.pickle": pickle_2([1, 1])},
            "twice",
        ),
        ({"train/filenames.pickle": pickle_2(["../../etc/passwd"] * 5)}, "twice"),
        ({"train/class_info.pickle": pickle_2([1])}, "class_info.pickle has 1 entries for 5 pictures"),
        ({"train/class_info.pickle": pickle_2(["a"])}, "is not a list of numbers"),
    ],
)
def test_attngan_with_damaged_lists(tmp_path: Path, change: dict[str, bytes], message: str) -> None:
    files = without(attngan_birds(), "text/") | {"captions.pickle": captions_pickle()} | change

    assert message in error_of("attngan", write_files(tmp_path / "birds", files))


def stackgan_birds(name: str = "304images.pickle") -> dict[str, bytes]:
    files = split_pickles() | text_files("text_c10/")
    for folder, first, num in (("train", 0, 5), ("test", 5, 2)):
        pictures = [
            np.random.default_rng(first + n).integers(0, 256, (24, 24, 3), dtype=np.uint8) for n in range(num)
        ]
        files[f"{folder}/{name}"] = array_pickle(pictures)
    return files


@pytest.mark.parametrize("name", ["304images.pickle", "76images.pickle"])
def test_stackgan_pixels(tmp_path: Path, name: str) -> None:
    prepared, dataset = made("stackgan", write_files(tmp_path / "birds", stackgan_birds(name)))
    pixels = np.random.default_rng(5).integers(0, 256, (24, 24, 3), dtype=np.uint8)

    assert np.array_equal(dataset.images(16)[5], to_squares(Image.fromarray(pixels), (16,))[0])
    assert dataset.records[5].split == "test" and dataset.records[5].captions[0] == "0 a bird"
    assert f"pixels: {name}" in prepared.report()


def test_stackgan_embeddings_are_no_captions(tmp_path: Path) -> None:
    files = without(stackgan_birds(), "text_c10") | {"train/char-CNN-RNN-embeddings.pickle": b"."}

    assert "holds vectors, which can't be turned back into text" in error_of(
        "stackgan", write_files(tmp_path / "b", files)
    )


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        ([np.zeros((9, 9, 3), np.uint8)], "has 1 pictures for 5 names"),
        ([np.zeros((9, 9), np.uint8)] * 5, "not a picture of height, width and three colours"),
        ([np.zeros((2, 9, 3), np.uint8)] * 5, "not a picture of height, width and three colours"),
    ],
)
def test_stackgan_with_odd_pixels(tmp_path: Path, pixels: list[np.ndarray], message: str) -> None:
    files = stackgan_birds() | {"train/304images.pickle": array_pickle(pixels)}

    assert message in error_of("stackgan", write_files(tmp_path / "b", files))


def picture(label: str, split: str) -> SourcePicture:
    return SourcePicture("x", lambda: Image.new("RGB", (8, 8)), ("a",), "x", label, split)


def counted(published: Published) -> list[SourcePicture | Problem]:
    items: list[SourcePicture | Problem] = []
    for split in ("train", "test"):
        num, classes = published.num_pictures[split], published.num_classes[split]
        items += [picture(f"{split}{n % classes}", split) for n in range(num)]
    return items


def notes_on(items: list[SourcePicture | Problem], published: Published) -> list[str]:
    pictures = [item for item in items if isinstance(item, SourcePicture)]
    counts = Counter((str(item.split), item.label) for item in pictures)
    return count_notes(counts, counts, published, None)


@pytest.mark.parametrize("published", [PUBLISHED, PUBLISHED_FLOWERS])
def test_published_numbers_raise_no_note(published: Published) -> None:
    items = counted(published)
    assert not [note for note in notes_on(items, published) if note.startswith("differs")]
    assert [note for note in notes_on(items[1:], published) if note.startswith("differs")] == [
        f"differs: {published.num_pictures['train'] - 1:,} train pictures, "
        f"but {published.num_pictures['train']:,} are published"
    ]
    with pytest.raises(DataError, match="'train0' is in both splits"):
        check_classes([*items, picture("train0", "test")], published)


LAYOUTS: dict[str, Callable[[], dict[str, bytes]]] = {
    "cub200": lambda: cub_files() | reed_files(),
    "oxford102": flowers,
    "attngan": lambda: without(attngan_birds(), "text/") | {"captions.pickle": captions_pickle()},
    "stackgan": stackgan_birds,
}


@pytest.mark.parametrize("source", LAYOUTS)
def test_damaged_lists_raise_data_errors_only(tmp_path: Path, source: str) -> None:
    files = LAYOUTS[source]()
    root = write_files(tmp_path / "root", files)
    lists = [name for name in files if not name.endswith(".jpg")]
    random = np.random.default_rng(8)
    for _ in range(80):
        name = lists[random.integers(len(lists))]
        content = np.frombuffer(files[name], np.uint8)
        changed = content.copy()
        changed[random.integers(0, len(content), 3)] = random.integers(0, 256, 3)
        begin, end = sorted(random.integers(0, len(content), 2))
        kinds = (changed, content[:begin], np.concatenate([content[:end], content[begin:]]))
        (root / name).write_bytes(kinds[random.integers(3)].tobytes())
        try:
            for item in SOURCES[source](root, None, 0).pictures:
                assert "\n" not in item.where
        except DataError as error:
            assert "\n" not in str(error)
        (root / name).write_bytes(files[name])


def test_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    root = cub_downloaded(tmp_path / "birds")
    (root / "CUB_200_2011.tgz").write_bytes(b"<!DOCTYPE html>")
    command = ["data", "prepare", "cub200", str(tmp_path / "out"), "--from", str(root)]
    done = subprocess.run([sys.executable, "-m", "creativeai.cli", *command], capture_output=True, text=True)

    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "CUB_200_2011.tgz is a web page saved under this name" in done.stderr
    assert not (tmp_path / "out").exists()

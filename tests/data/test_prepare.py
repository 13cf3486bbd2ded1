"""prepare makes a whole dataset or none, whatever happens to pictures, process and disk."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from creativeai.data import CaptionedImages, prepare
from creativeai.data.prepare import parse_resolutions
from creativeai.data.splits import split_of
from creativeai.data.writing import DatasetWriter
from creativeai.errors import DataError, UserError
from data.conftest import MakeFolder, noise_picture, save_picture


def nothing_left(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if path.name.lstrip(".").startswith("out")]


def test_pixels_and_captions_keep_their_order(good_folder: Path, tmp_path: Path) -> None:
    prepare("folder", tmp_path / "out", root=good_folder, resolutions=(32,))
    dataset = CaptionedImages.open(tmp_path / "out")

    for number in range(12):
        assert np.array_equal(dataset.images(32)[number], np.asarray(noise_picture(number)))
        assert dataset.records[number].file_name == (f"{number}.png" if number < 11 else "deep/last.png")


def test_arrays_are_plain_npy_files_and_nothing_else_is_left(good_folder: Path, tmp_path: Path) -> None:
    prepare(str(good_folder), tmp_path / "out", resolutions=(16, 8, 16))

    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["captions.jsonl", "dataset.json", "images_16.npy", "images_8.npy"]
    assert np.load(tmp_path / "out" / "images_8.npy", allow_pickle=False).shape == (12, 8, 8, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pictures"]


def test_dataset_json_has_every_field_of_the_contract(good_folder: Path, tmp_path: Path) -> None:
    info = prepare("folder", tmp_path / "out", root=good_folder, resolutions=(8,)).info
    content = json.loads((tmp_path / "out" / "dataset.json").read_text())

    assert content["schema_version"] == 2
    assert content["name"] == content["title"] == "pictures"
    assert content["licence"] == "not stated"
    assert content["num_pictures"] == 12
    assert content["attributes"] is content["credits_digest"] is None
    assert content["num_captions"] == {"captions": 23, "short_captions": 0, "name_captions": 2}
    assert content["num_classes"] == 1
    assert content["split_rule"] == "by a hash of the file name, a twentieth validation and two test"
    assert content["left_out"] == content["enlarged"] == {}
    assert content["digest"] == info.digest and len(info.digest) == 64


def test_same_pictures_give_the_same_digest(good_folder: Path, tmp_path: Path) -> None:
    first = prepare("folder", tmp_path / "first", root=good_folder, resolutions=(8, 16)).info.digest
    shutil.copytree(good_folder, tmp_path / "copy")
    again = prepare("folder", tmp_path / "again", root=tmp_path / "copy", resolutions=(16, 8)).info.digest

    assert first == again


def test_digest_tells_changed_pixels_captions_and_resolutions_apart(
    good_folder: Path, tmp_path: Path
) -> None:
    digests = [prepare("folder", tmp_path / "a", root=good_folder, resolutions=(8,)).info.digest]
    digests.append(prepare("folder", tmp_path / "b", root=good_folder, resolutions=(16,)).info.digest)
    noise_picture(99).save(good_folder / "3.png")
    digests.append(prepare("folder", tmp_path / "c", root=good_folder, resolutions=(8,)).info.digest)
    metadata = good_folder / "metadata.jsonl"
    metadata.write_text(metadata.read_text().replace("bird 3", "bird three"))
    digests.append(prepare("folder", tmp_path / "d", root=good_folder, resolutions=(8,)).info.digest)

    assert len(set(digests)) == 4


def test_digest_is_over_captions_and_pixels(good_folder: Path, tmp_path: Path) -> None:
    info = prepare("folder", tmp_path / "out", root=good_folder, resolutions=(8,)).info
    captions = (tmp_path / "out" / "captions.jsonl").read_bytes()
    pixels = np.load(tmp_path / "out" / "images_8.npy").tobytes()
    parts = {"captions.jsonl": captions, "images_8.npy": pixels}
    lines = "".join(f"{name} {hashlib.sha256(part).hexdigest()}\n" for name, part in parts.items())

    assert info.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_explicit_split_wins(make_folder: MakeFolder, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(20)]
    root = make_folder(*({"file_name": name, "text": "a bird", "split": "validation"} for name in names))
    prepare("folder", tmp_path / "out", root=root, resolutions=(8,))

    assert len(CaptionedImages.open(tmp_path / "out").indices("validation")) == 20


def test_equal_pictures_never_straddle_the_splits(make_folder: MakeFolder, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(40)]
    assert {split_of(name) for name in names} == {"train", "validation", "test"}
    root = make_folder(*({"file_name": name, "text": "a bird"} for name in names))
    for name in names:
        save_picture(root / name)
    prepare("folder", tmp_path / "out", root=root, resolutions=(8,))

    assert len({record.split for record in CaptionedImages.open(tmp_path / "out").records}) == 1


def test_existing_out_is_named_and_kept(good_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("dear to me")

    with pytest.raises(DataError, match="out exists already"):
        prepare("folder", tmp_path / "out", root=good_folder)
    assert (tmp_path / "out" / "mine.txt").read_text() == "dear to me"


def test_out_that_is_a_dead_link_or_a_file_exists_too(good_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out1").symlink_to(tmp_path / "nowhere")
    (tmp_path / "out2").write_text("")

    for name in ("out1", "out2"):
        with pytest.raises(DataError, match=f"{name} exists already"):
            prepare("folder", tmp_path / name, root=good_folder)


def test_out_below_a_file_is_refused(good_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DataError, match=r"out can't be made: (Not a directory|File exists)"):
        prepare("folder", tmp_path / "file" / "out", root=good_folder)


def test_missing_parents_are_made(good_folder: Path, tmp_path: Path) -> None:
    prepare("folder", tmp_path / "a" / "b" / "out", root=good_folder, resolutions=(8,))

    assert len(CaptionedImages.open(tmp_path / "a" / "b" / "out")) == 12


def test_one_problem_is_told_with_the_way_out(good_folder: Path, tmp_path: Path) -> None:
    (good_folder / "3.png").unlink()

    with pytest.raises(DataError) as caught:
        prepare("folder", tmp_path / "out", root=good_folder)
    assert str(caught.value) == (
        f"{good_folder}/metadata.jsonl line 4: 3.png: the picture is missing "
        "(run with --skip-bad to leave such pictures out)"
    )
    assert nothing_left(tmp_path)


def test_all_problems_are_counted(good_folder: Path, tmp_path: Path) -> None:
    (good_folder / "3.png").unlink()
    (good_folder / "5.png").write_text("text")
    (good_folder / "9.png").write_bytes(b"")

    with pytest.raises(
        DataError, match=r"line 4: 3\.png: the picture is missing .and 2 more: run with --skip-bad"
    ):
        prepare("folder", tmp_path / "out", root=good_folder)


def test_search_for_problems_ends_at_twenty(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder(*["{"] * 50)
    told: list[int] = []

    with pytest.raises(DataError, match="and at least 19 more"):
        prepare("folder", tmp_path / "out", root=root, progress=lambda done, total: told.append(done))
    assert max(told, default=0) < 20


def test_skip_bad_leaves_out_and_reports(good_folder: Path, tmp_path: Path) -> None:
    (good_folder / "3.png").unlink()
    (good_folder / "5.png").write_text("text")
    prepared = prepare("folder", tmp_path / "out", root=good_folder, resolutions=(8, 32), skip_bad=True)
    dataset = CaptionedImages.open(tmp_path / "out")

    assert len(dataset) == 10
    assert [record.file_name for record in dataset.records[:4]] == ["0.png", "1.png", "2.png", "4.png"]
    assert np.array_equal(dataset.images(32)[3], np.asarray(noise_picture(4)))
    assert prepared.info.left_out == {
        "the picture is missing": 1,
        "not a picture, or of a kind that can't be read: use JPEG, PNG or WebP": 1,
    }
    assert prepared.report()[-3:] == [
        "left out 2:",
        f"  {good_folder}/metadata.jsonl line 4: 3.png: the picture is missing",
        f"  {good_folder}/metadata.jsonl line 6: 5.png: not a picture, or of a kind that can't be read: "
        "use JPEG, PNG or WebP",
    ]


def test_report_of_very_many_is_cut_short(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"file_name": "1.png", "text": "a bird"}, *["{"] * 30)
    report = prepare("folder", tmp_path / "out", root=root, skip_bad=True).report()

    assert report[-22] == "left out 30:"
    assert report[-1] == "  and 10 more"


def test_nothing_usable_is_an_error_even_when_skipping(make_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no picture can be used: .*line 1: broken JSON"):
        prepare("folder", tmp_path / "out", root=make_folder("{"), skip_bad=True)
    with pytest.raises(DataError, match="no pictures"):
        prepare("folder", tmp_path / "out", root=make_folder(name="empty"))
    assert nothing_left(tmp_path)


def test_num_pictures_chooses_the_same_by_seed(good_folder: Path, tmp_path: Path) -> None:
    def chosen(name: str, **options: Any) -> list[str]:
        prepare("folder", tmp_path / name, root=good_folder, resolutions=(8,), **options)
        return [record.file_name for record in CaptionedImages.open(tmp_path / name).records]

    first = chosen("a", num_pictures=5, seed=1)
    assert len(first) == 5
    assert first == chosen("b", num_pictures=5, seed=1)
    assert first != chosen("c", num_pictures=5, seed=2)
    assert set(first) < set(chosen("d", num_pictures=8, seed=1))
    assert len(chosen("e", num_pictures=100)) == 12


@pytest.mark.parametrize("num_pictures", [0, -1])
def test_senseless_number_of_pictures(good_folder: Path, tmp_path: Path, num_pictures: int) -> None:
    with pytest.raises(DataError, match=f"at least 1, not {num_pictures}"):
        prepare("folder", tmp_path / "out", root=good_folder, num_pictures=num_pictures)


@pytest.mark.parametrize("resolutions", [(), (0,), (64, 7), (-64,), (1025,)])
def test_senseless_resolutions(good_folder: Path, tmp_path: Path, resolutions: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="resolution"):
        prepare("folder", tmp_path / "out", root=good_folder, resolutions=resolutions)


def test_resolutions_are_parsed() -> None:
    assert parse_resolutions("64, 128") == (64, 128)
    for text in ("", "64;128", "64,", "big"):
        with pytest.raises(DataError, match="write 64,128"):
            parse_resolutions(text)


def test_unknown_source_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"unknown source 'fish': use one of folder, birds, flowers, toybirds, cub200, .*, or the path",
    ):
        prepare("fish", tmp_path / "out")
    assert nothing_left(tmp_path)


def test_metadata_that_may_not_be_read_is_named(
    good_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_bytes(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(DataError, match=r"metadata\.jsonl can't be read: Permission denied"):
        prepare("folder", tmp_path / "out", root=good_folder)


def test_two_folders_are_one_too_many(good_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="two folders"):
        prepare(str(good_folder), tmp_path / "out", root=tmp_path)


def test_progress_reaches_the_total(good_folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    prepare(
        "folder", tmp_path / "out", root=good_folder, progress=lambda done, total: told.append((done, total))
    )

    assert told == [(done, 12) for done in range(1, 13)]


def test_ctrl_c_leaves_nothing(good_folder: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare("folder", tmp_path / "out", root=good_folder, progress=interrupt)
    assert nothing_left(tmp_path)


def test_full_disk_while_writing(good_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(self: DatasetWriter, *_: object) -> None:
        if self.num_pictures == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.num_pictures += 1

    monkeypatch.setattr(DatasetWriter, "add", add)
    with pytest.raises(
        DataError, match=r"no space left on the disk of .*out: free some space or choose another folder"
    ):
        prepare("folder", tmp_path / "out", root=good_folder)
    assert nothing_left(tmp_path)


def test_full_disk_when_flushing(good_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DataError, match="no space left"):
        prepare("folder", tmp_path / "out", root=good_folder)
    assert nothing_left(tmp_path)


def test_too_little_room_is_seen_before_the_work(
    good_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))

    with pytest.raises(DataError, match=r"no space left on the disk of .*: 3 MB needed, 0 MB free"):
        prepare("folder", tmp_path / "out", root=good_folder)
    assert nothing_left(tmp_path)


def test_two_at_once_do_not_meddle(good_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / ".out.tmp"
    other.mkdir()
    (other / "images_64.npy").write_text("half made by the other")
    descriptor = os.open(other, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="being made by another process"):
            prepare("folder", tmp_path / "out", root=good_folder)
        assert (other / "images_64.npy").exists()
    finally:
        os.close(descriptor)


def start_endless_prepare(out: Path) -> "subprocess.Popen[str]":
    """Starts preparing very many toy birds, and returns in the middle of it."""
    command = [
        sys.executable,
        "-m",
        "creativeai.cli",
        "data",
        "prepare",
        "toybirds",
        str(out),
        "--num",
        "100000",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    captions = out.with_name(f".{out.name}.tmp") / "images_128.npy"
    deadline = time.monotonic() + 60
    while not (captions.exists() and captions.stat().st_size > 100_000):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)
    return process


def test_kill_9_leaves_no_out_and_the_next_prepare_cleans_up(good_folder: Path, tmp_path: Path) -> None:
    process = start_endless_prepare(tmp_path / "out")
    process.kill()
    process.communicate()
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.tmp").exists()

    prepare("folder", tmp_path / "out", root=good_folder, resolutions=(8,))

    assert len(CaptionedImages.open(tmp_path / "out")) == 12
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "captions.jsonl",
        "dataset.json",
        "images_8.npy",
    ]
    assert not (tmp_path / ".out.tmp").exists()


def test_sigint_to_the_command_leaves_nothing(tmp_path: Path) -> None:
    process = start_endless_prepare(tmp_path / "out")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "Traceback" not in stderr
    assert nothing_left(tmp_path)


def test_pillow_stays_quiet_about_odd_metadata(
    good_folder: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01garbage"
    Image.new("RGB", (16, 16), "red").save(good_folder / "3.png", "JPEG", exif=exif)
    prepare("folder", tmp_path / "out", root=good_folder, resolutions=(8,))

    assert not [warning for warning in recwarn if "EXIF" in str(warning.message)]

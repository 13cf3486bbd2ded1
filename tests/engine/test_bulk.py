import io
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from creativeai.engine import bulk
from creativeai.engine.bulk import Share, draw_all, parse_share
from creativeai.engine.captions_file import Caption, read_captions
from creativeai.engine.model import Model
from creativeai.errors import RequestError
from tiny_bundle import make_tiny_bundle

CAPTIONS = [Caption(text, f"line {i}") for i, text in enumerate(("a red bird", "a blue bird", "a boat"), 1)]
Draw = Callable[..., int]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def model(bundle: Path) -> Model:
    return Model(bundle, num_threads=2)


@pytest.fixture
def draw(model: Model) -> Draw:
    def draw(out: Path, captions: list[Caption] = CAPTIONS, share: str = "1/1", **options: Any) -> int:
        chosen = {"num_each": 2, "seed": 5, "truncation": None, "progress": lambda *_: None} | options
        return draw_all(model, captions, str(out), share=parse_share(share), **chosen)

    return draw


def names(folder: Path, ending: str = ".png") -> list[str]:
    return sorted(path.name for path in folder.glob(f"*{ending}"))


def test_each_picture_is_that_of_its_caption_and_seed(draw: Draw, model: Model, tmp_path: Path) -> None:
    assert draw(tmp_path / "out") == 6
    assert names(tmp_path / "out") == [f"{index:08}.png" for index in range(6)]
    for index in range(6):
        text = CAPTIONS[index // 2].text
        assert (tmp_path / "out" / f"{index:08}.txt").read_text() == f"{text}\n"
        [alone] = model.generate(text, seed=5 + index)
        with Image.open(tmp_path / "out" / f"{index:08}.png") as image:
            assert np.array_equal(np.asarray(image), np.asarray(alone))


def test_seeds_of_the_file_count(draw: Draw, model: Model, tmp_path: Path) -> None:
    draw(tmp_path / "out", [CAPTIONS[0], Caption("a boat", "line 2", seed=2**32 - 1)])
    for name, seed in (("00000001", 6), ("00000002", 2**32 - 1), ("00000003", 0)):
        with Image.open(tmp_path / "out" / f"{name}.png") as image:
            [alone] = model.generate("a red bird" if name == "00000001" else "a boat", seed=seed)
            assert np.array_equal(np.asarray(image), np.asarray(alone))


@pytest.mark.parametrize("num_shares", [2, 4, 7])
def test_shares_make_up_the_whole(draw: Draw, tmp_path: Path, num_shares: int) -> None:
    draw(tmp_path / "whole")
    done = [draw(tmp_path / "parts", share=f"{i}/{num_shares}") for i in range(1, num_shares + 1)]
    assert sum(done) == 6
    assert names(tmp_path / "parts", "") == names(tmp_path / "whole", "")
    for name in names(tmp_path / "whole", ""):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_what_is_there_is_not_drawn_again(draw: Draw, tmp_path: Path) -> None:
    draw(tmp_path / "out")
    (tmp_path / "out" / "00000002.png").unlink()
    (tmp_path / "out" / "00000003.png").write_bytes(b"kept")
    told: list[tuple[int, int]] = []
    draw(tmp_path / "out", progress=lambda *progress: told.append(progress))
    assert told == [(5, 6), (6, 6)]
    assert (tmp_path / "out" / "00000003.png").read_bytes() == b"kept"


@pytest.mark.parametrize("changed", [{"seed": 6}, {"num_each": 3}, {"truncation": 0.5}])
def test_pictures_made_otherwise_are_not_mixed(draw: Draw, tmp_path: Path, changed: dict[str, Any]) -> None:
    draw(tmp_path / "out")
    with pytest.raises(RequestError, match="holds pictures of another model, other captions or seeds"):
        draw(tmp_path / "out", **changed)


def test_tars_of_so_many_pictures_each(draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PICTURES_PER_TAR", 2)
    draw(tmp_path / "files")
    assert draw(tmp_path / "birds.tar", share="2/2") == 2
    assert names(tmp_path, ".tar") == ["birds-00001.tar"]
    before = (tmp_path / "birds-00001.tar").stat().st_mtime_ns
    told: list[tuple[int, int]] = []
    assert draw(tmp_path / "birds.tar", progress=lambda *progress: told.append(progress)) == 6
    assert told[-1] == (6, 6) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert names(tmp_path, ".tar") == ["birds-00000.tar", "birds-00001.tar", "birds-00002.tar"]
    assert (tmp_path / "birds-00001.tar").stat().st_mtime_ns == before
    with tarfile.open(tmp_path / "birds-00001.tar") as tar:
        assert tar.getnames() == ["00000002.png", "00000002.txt", "00000003.png", "00000003.txt"]
        picture, text = (tar.extractfile(f"00000003.{ending}") for ending in ("png", "txt"))
        assert picture is not None and text is not None
        assert text.read() == b"a blue bird"
        content = picture.read()
    assert content == (tmp_path / "files" / "00000003.png").read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        image.verify()


def test_killed_process_leaves_whole_pictures_and_is_gone_on_with(
    draw: Draw, bundle: Path, tmp_path: Path
) -> None:
    captions = [Caption(f"a bird number {index}", "") for index in range(300)]
    (tmp_path / "captions.txt").write_text("\n".join(caption.text for caption in captions))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "creativeai.cli", "generate", "--captions", tmp_path / "captions.txt"]
    command += ["--out", out, "--model", bundle, "--seed", "5", "-n", "2"]
    process = subprocess.Popen([str(part) for part in command])
    end = time.monotonic() + 60
    while len(list(out.glob("*.png"))) < 20 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = list(out.glob("*.png"))
    assert 20 <= len(found) < 600
    for file in found:
        with Image.open(file) as image:
            image.verify()
        assert file.with_suffix(".txt").read_text().startswith("a bird number")
    assert draw(out, captions) == 600
    assert len(names(out)) == 600


def test_folder_that_is_a_file(draw: Draw, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(RequestError, match="can't write to"):
        draw(tmp_path / "out")


@pytest.mark.parametrize(
    ("caption", "reason"), [("", "line 9: the text is empty"), ("鳥", "line 9: the model knows no word")]
)
def test_caption_that_can_not_be_used_names_its_line(
    draw: Draw, tmp_path: Path, caption: str, reason: str
) -> None:
    with pytest.raises(RequestError, match=reason):
        draw(tmp_path / "out", [*CAPTIONS, Caption(caption, "line 9")])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3", ""])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(RequestError, match="is not i/n"):
        parse_share(text)


def test_share() -> None:
    assert parse_share("3/8") == Share(3, 8)


def test_captions_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes("\ufeffa red bird \r\n\r\na “blue” bird".encode())
    assert [(one.text, one.where[-6:]) for one in read_captions(tmp_path / "c.txt")] == [
        ("a red bird", "line 1"),
        ("a “blue” bird", "line 3"),
    ]


def test_captions_as_json_lines(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"text": "a bird", "seed": 3}\n{"text": "a boat"}\n')
    assert [(one.text, one.seed) for one in read_captions(tmp_path / "c.jsonl")] == [
        ("a bird", 3),
        ("a boat", None),
    ]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "1", '"a"', "{}", '{"text": 1}', '{"text": "a", "seed": -1}', '{"text": "a", "seed": true}'],
)
def test_json_lines_that_are_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "c.jsonl").write_text(f'{{"text": "a bird"}}\n{line}\n')
    with pytest.raises(RequestError, match=r"c\.jsonl line 2: not"):
        read_captions(tmp_path / "c.jsonl")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "can't read"), (b"\xff\xfe", "UTF-8"), (b"\n \n", "no captions")]
)
def test_files_without_captions(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "c.txt").write_bytes(content)
    with pytest.raises(RequestError, match=reason):
        read_captions(tmp_path / "c.txt")

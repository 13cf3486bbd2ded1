"""docs/ten-minutes.md as a newcomer follows it, command by command; the training is made short."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
import requests
from PIL import Image

from creativeai import cli
from creativeai.data.sources.toybirds import open_toybirds
from server.live_server import start_server, stop_server
from tiny_training import measuring_small

GUIDE = (Path(__file__).parents[1] / "docs" / "ten-minutes.md").read_text()
SHORT = {  # what the guide says -> what takes seconds
    "data prepare boats datasets/boats": "data prepare boats datasets/boats --resolutions 32",
    "--minutes 6": "--steps 2 --preset debug --no-compile",
    "--port 8801": "--port 0",
}


def commands() -> list[str]:
    """Those of the guide, in order, a command a line."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    return "".join(blocks).replace("\\\n", " ").splitlines()


def shortened(command: str) -> list[str]:
    for said, short in SHORT.items():
        command = command.replace(said, short)
    return shlex.split(command)


def make_boats(folder: Path) -> None:
    """Twenty pictures and the table, whose head is the guide's."""
    folder.mkdir()
    [table] = re.findall(r"```csv\n(.*?)```", GUIDE, re.DOTALL)
    lines = table.splitlines()
    for number, picture in enumerate(open_toybirds(None, 20, 0).pictures, 1):
        with picture.open() as image:  # type: ignore[union-attr]
            image.resize((96, 80)).save(folder / f"{number}.jpg")
        if number >= len(lines):
            lines.append(f'{number}.jpg,"{picture.captions[0]}"')  # type: ignore[union-attr]
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.timeout(300)  # four commands with torch, one after another
def test_guide_from_pictures_to_a_served_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_boats(tmp_path / "boats")
    url, process = "", None
    try:
        for command in commands():
            program, *arguments = shortened(command)
            if program == "pip":
                continue
            if program == "curl":
                [path] = re.findall(r"http://127.0.0.1:8801(\S+)", command)
                body = json.loads(arguments[arguments.index("-d") + 1])
                answer = requests.post(url + path, json=body, timeout=60)
                assert answer.status_code == 200 and len(answer.json()["data"]) == body["n"]
            elif arguments[0] == "serve":
                process, url = start_server(*arguments[1:])
            else:
                monkeypatch.setattr(sys, "argv", ["creativeai", *arguments])
                with measuring_small(), pytest.raises(SystemExit, match="0"):
                    cli.main()
    finally:
        if process is not None:
            stop_server(process)
    assert url, "the guide serves nothing"
    assert "20 pictures" in capsys.readouterr().out
    for picture in ("boats.png", "mine.png"):
        with Image.open(picture) as image:
            image.verify()

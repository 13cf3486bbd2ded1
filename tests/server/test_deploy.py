"""The container files name commands, options, addresses, and files that exist, and give no rights away."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from flask_openapi3 import OpenAPI

from creativeai.cli import app

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "deploy" / "Dockerfile").read_text())
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S))
PARENTS = {name: parent for parent, name in re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.M)}
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
SOURCES = "".join(path.read_text() for path in (ROOT / "src" / "creativeai").rglob("*.py"))
DEFAULT_SERVICES = ["model-server", "page", "tensorboard"]


def lineage(stage: str) -> list[str]:
    """A stage and those it is built upon."""
    return [stage, *lineage(PARENTS[stage])] if stage in STAGES else []


def comes_from(stage: str) -> set[str]:
    """All stages that something in a stage comes from."""
    sources = {name for upon in lineage(stage) for name in re.findall(r"from=([\w-]+)", STAGES[upon])}
    return {*lineage(stage), *(name for source in sources for name in comes_from(source))}


def default_of(text: str) -> str:
    """What compose makes of a text where no variable is set."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)


def each_service() -> Any:
    return pytest.mark.parametrize("name", SERVICES)


def command_of(name: str) -> list[str]:
    """What a service runs."""
    text = "".join(STAGES[upon] for upon in lineage(SERVICES[name]["build"]["target"]))
    words = [re.findall(rf"^{key} (\[.*\])$", text, re.M) for key in ("ENTRYPOINT", "CMD")]
    entry, command = (json.loads(found[0]) if found else [] for found in words)
    return [*entry, *(default_of(word) for word in SERVICES[name].get("command", command))]


@each_service()
def test_command_exists(name: str) -> None:
    program, *words = command_of(name)
    if name == "tensorboard":
        assert program == name
        return
    assert program == "creativeai"
    cli: Any = typer.main.get_command(app)
    options = [word for word in words[1:] if word != "--help"]
    cli.commands[words[0]].make_context(words[0], options)  # a usage error if it does not take them


@pytest.mark.parametrize("name", DEFAULT_SERVICES)
def test_health_is_asked_where_it_is_answered(name: str, shared_app: OpenAPI) -> None:
    [port] = [address.split(":")[-1] for address in SERVICES[name]["ports"]]
    [[asked, path]] = re.findall(r"HEALTHCHECK .*http://127\.0\.0\.1:(\d+)(/\w*)", STAGES[name])
    assert asked == port == command_of(name)[command_of(name).index("--port") + 1]
    if name == "model-server":
        assert path in {rule.rule for rule in shared_app.url_map.iter_rules()}


@each_service()
def test_service_has_no_rights_and_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid"}
    assert {"restart", "mem_limit", "pids_limit", "init"} <= service.keys()
    assert service.keys() & {"cpus", "cpu_shares"}
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    stages = lineage(service["build"]["target"])
    users = [user for stage in stages for user in re.findall(r"^USER (.+)$", STAGES[stage], re.M)]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[0])
    assert default_of(service.get("user", users[0])) == users[0]


@each_service()
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(default_of(address).startswith("127.0.0.1:") for address in SERVICES[name].get("ports", []))


@each_service()
def test_volumes_are_declared_and_folders_of_the_image(name: str) -> None:
    declared = yaml.safe_load(COMPOSE_TEXT)["volumes"]
    made = re.findall(r"(/\w+)", STAGES["base"].split("install --directory")[1].split("ENV")[0])
    for mount in SERVICES[name].get("volumes", []):
        volume, folder = default_of(mount).split(":")[:2]
        assert volume in declared
        assert folder in made, "a new volume would belong to root"


@each_service()
def test_only_trainers_have_torch_and_a_profile(name: str) -> None:
    stages = "".join(STAGES[stage] for stage in comes_from(SERVICES[name]["build"]["target"]))
    has_torch = bool(re.search(r"pip install.*torch", stages))
    assert has_torch == name.startswith("trainer") == ("profiles" in SERVICES[name])


def test_new_code_reinstalls_no_dependency() -> None:
    for stage in STAGES:
        if stage.endswith("dependencies"):
            assert "COPY src" not in "".join(STAGES[upon] for upon in comes_from(stage))


def test_copied_files_exist_and_are_let_in() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    for words in re.findall(r"^COPY ((?!--from).+) \S+$", DOCKERFILE, re.M):
        for file in words.split():
            assert (ROOT / file).exists()
            assert f"!{file}" in ignore


def test_base_image_has_a_full_tag() -> None:
    [image] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.M)
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", image)
    assert set(PARENTS.values()) <= {"${PYTHON_IMAGE}", *STAGES}


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = [sys.executable, "deploy/requirements.py", "train"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.splitlines() == [*project["dependencies"], *project["optional-dependencies"]["train"]]


def test_variables_are_read() -> None:
    compose = [word for service in SERVICES.values() for word in service.get("environment", [])]
    image = re.findall(r"(?:^ENV | )(CREATIVEAI_\w+)=", DOCKERFILE, re.M)
    variables = {word for word in [*compose, *image] if word.startswith("CREATIVEAI_")}
    assert variables >= {"CREATIVEAI_API_URL", "CREATIVEAI_MODELS"}
    for variable in variables:
        assert f'"{variable}"' in SOURCES


def test_variables_are_documented() -> None:
    variables = set(re.findall(r"CREATIVEAI_\w+", COMPOSE_TEXT))
    documented = set(re.findall(r"CREATIVEAI_\w+", (ROOT / "deploy" / "README.md").read_text()))
    assert documented == variables


def test_development_overrides_services_that_exist() -> None:
    overrides = yaml.safe_load((ROOT / "deploy" / "compose.dev.yaml").read_text())["services"]
    assert overrides.keys() == SERVICES.keys() - {"tensorboard"}
    for service in overrides.values():
        [mount] = service["volumes"]
        source, folder, mode = mount.split(":")
        assert (ROOT / source / "creativeai" / "cli.py").exists()
        assert (folder, mode) == (service["environment"]["PYTHONPATH"], "ro")


def run_script(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ with a `docker` that notes how it is called in the file `calls`."""
    docker = folder / "docker"
    note = 'echo "$DOCKER_HOST $CREATIVEAI_TAG $*" >>'
    docker.write_text(f"#!/bin/sh\n{note} {shlex.quote(str(folder / 'calls'))}\n")
    docker.chmod(0o755)
    return subprocess.run(
        [ROOT / "deploy" / name, *arguments],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
    )


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def test_two_commands_put_it_on_a_host(tmp_path: Path) -> None:
    options = ("--host", "me@models.example", "--tag", "7")
    for script in ("build", "run"):
        assert run_script(script, *options, folder=tmp_path).returncode == 0
    there = "ssh://me@models.example 7 compose"
    default = " ".join(DEFAULT_SERVICES)
    version, build, _, run = calls(tmp_path)
    assert version == f"{there} version"
    assert build == f"{there} build {default}"
    assert run == f"{there} up --detach --no-build --wait {default}"


def test_registry_is_pushed_to_and_pulled_from(tmp_path: Path) -> None:
    registry = ("--registry", "registry.example/creativeai")
    assert run_script("build", "--push", *registry, "page", folder=tmp_path).returncode == 0
    assert run_script("run", *registry, "page", folder=tmp_path).returncode == 0
    done = [call.split("compose ")[1] for call in calls(tmp_path)]
    assert [words for words in done if words != "version"] == [
        "build page",
        "push page",
        "pull page",
        "up --detach --no-build --wait page",
    ]


@pytest.mark.parametrize("script", ["build", "run"])
def test_dry_run_says_it_and_does_nothing(script: str, tmp_path: Path) -> None:
    done = run_script(
        script, "--dry-run", "--api", "http://a b", "--host", "tcp://h:1", "page", folder=tmp_path
    )
    assert done.returncode == 0
    variables, _, words = done.stdout.partition("docker compose ")
    assert shlex.split(variables) == ["DOCKER_HOST=tcp://h:1", "CREATIVEAI_API_URL=http://a b"]
    assert words.split()[-1] == "page"
    assert not calls(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tag"], "--tag needs a value"),
        (["--nothing"], "there is no option --nothing"),
        (["nothing"], "there is no service nothing"),
        (["--push"], "--push"),
    ],
)
@pytest.mark.parametrize("script", ["build", "run"])
def test_wrong_arguments_are_one_line(
    script: str, arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = run_script(script, *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(rf"{script}: .*{message}.*\n", done.stderr)
    assert not [call for call in calls(tmp_path) if "version" not in call]

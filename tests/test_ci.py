"""CI, pre-commit and the scripts call what the Makefile has, and no secret is in the repository."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
WORKFLOW_TEXT = (ROOT / ".github" / "workflows" / "ci.yaml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(WORKFLOW_TEXT)
CHECKS = {"build", "lint", "check-format", "types", "test"}

SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}|hooks\.slack\.com/services/T\w+/B\w+/\w+",
    "API key": r"\bsk-[0-9A-Za-z_-]{32,}|\bAIza[0-9A-Za-z_-]{35}",
    "Hugging Face or PyPI token": r"\bhf_[0-9A-Za-z]{30,}|\bpypi-[0-9A-Za-z_-]{50,}",
    "password in a URL": r"://[^/\s:@{}$<>\"']+:(?!\*+@)[^/\s:@{}$<>\"']{3,}@",
    "password": r"(?i)\b(?:password|secret_?key|api_?key|auth_?token)[\"']?\s*[:=]\s*[\"'][^\"'\s]{12,}[\"']",
}


def makes(text: str) -> set[str]:
    """Targets that a file has made."""
    return set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"^\s*(#|//).*$", "", text, flags=re.MULTILINE)))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (".ci/run", {"test"}),
        ("Jenkinsfile", CHECKS),
        (".github/workflows/ci.yaml", {*CHECKS, "audit"}),
        (".pre-commit-config.yaml", CHECKS - {"build", "test"}),
    ],
)
def test_make_targets_exist(file: str, expected: set[str]) -> None:
    found = makes((ROOT / file).read_text())
    assert found == expected
    assert found <= TARGETS


def test_make_test_is_all_checks() -> None:
    [needed] = re.findall(r"^test: (.*?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(needed.split()) >= CHECKS - {"build", "test"}


def test_scripts_are_linted_and_exist() -> None:
    [listed] = re.findall(r"^SCRIPTS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    scripts = {ROOT / name for name in listed.split()}
    files = [path for folder in (".ci", "deploy") for path in (ROOT / folder).iterdir() if path.is_file()]
    assert scripts == {path for path in files if re.match(r"#.*\bbash\n", path.read_text())}
    assert all("set -euo pipefail" in path.read_text() for path in scripts if path.suffix != ".sh")


def test_workflow_has_least_permissions_and_no_secrets() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in WORKFLOW_TEXT
    assert "secrets." not in WORKFLOW_TEXT
    for job in WORKFLOW["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"])
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_one_check_stands_for_all() -> None:
    jobs = WORKFLOW["jobs"]
    assert set(jobs["all"]["needs"]) == jobs.keys() - {"all", "audit"}
    [step] = jobs["all"]["steps"]
    results = " ".join("success" for _ in jobs["all"]["needs"])
    assert step["run"] == f'test "$RESULTS" = "{results}"'


def test_workflow_tests_the_oldest_python() -> None:
    requires = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())
    assert requires
    assert requires[1] == WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"][0]


def committed_files() -> list[Path]:
    # The files may belong to another user than the tests' where those run in a container.
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    assert done.returncode == 0, done.stderr
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def secrets_in(text: str) -> list[str]:
    return [kind for kind, pattern in SECRETS.items() if re.search(pattern, text)]


def test_no_secret_is_committed() -> None:
    files = committed_files()
    assert len(files) > 100
    assert not [
        path for path in files if re.fullmatch(r"\.env(?!.*example).*|.*\.(pem|p12|key)|id_rsa", path.name)
    ]
    found = {}
    for path in files:
        content = path.read_bytes()
        if b"\0" not in content[:8192] and (kinds := secrets_in(content.decode(errors="replace"))):
            found[str(path.relative_to(ROOT))] = kinds
    assert not found


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("private key", ("-----BEGIN RSA ", "PRIVATE KEY-----")),
        ("AWS key", ("AKIA", "ABCDEFGHIJKLMNOP")),
        ("GitHub token", ("ghp_", "a1" * 18)),
        ("Slack token", ("xoxb-", "1234567890-abc")),
        ("API key", ("sk-", "a1" * 20)),
        ("Hugging Face or PyPI token", ("hf_", "a1" * 17)),
        ("password in a URL", ("https://me:", "hunter22@models.example")),
        ("password", ("api_key = ", "'0123456789abcdef'")),
    ],
)
def test_secrets_are_recognised(kind: str, parts: tuple[str, str]) -> None:
    assert secrets_in("".join(parts)) == [kind]
    assert not secrets_in(parts[0])

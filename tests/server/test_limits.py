"""What may be set, by options and by the environment, and that it counts."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from creativeai.cli import main
from creativeai.errors import UserError
from creativeai.server import run
from creativeai.server.app import create_app
from creativeai.server.limits import Limits
from creativeai.server.settings import ServerSettings
from server.test_bad_requests import error_of

URL = "/v1/images/generations"


@pytest.fixture(scope="module")
def narrow(bundle: Path) -> FlaskClient:
    limits = Limits(max_body_bytes=1024, max_prompt_length=20, max_n=2)
    settings = ServerSettings(limits=limits)
    return create_app({"tiny": bundle}, settings=settings, wait_for_models=True).test_client()


def test_limits_of_a_request(narrow: FlaskClient) -> None:
    assert narrow.post(URL, json={"prompt": "a bird", "n": 2}).status_code == 200
    error = error_of(narrow.post(URL, json={"prompt": "a bird", "n": 3}), 400)
    assert error["param"] == "n" and "1 to 2" in error["message"]
    long = {"model": "tiny", "prompt": "a bird " + "o" * 20, "seed": 1}
    for response in (
        narrow.post(URL, json={"prompt": long["prompt"]}),
        narrow.get("/v1/images/render", query_string=long),
    ):
        error = error_of(response, 400)
        assert error["param"] == "prompt" and "20" in error["message"]
    assert "1024" in error_of(narrow.post(URL, json={"prompt": "a" * 2000}), 413)["message"]


def test_limits_are_described(narrow: FlaskClient) -> None:
    document: Any = narrow.get("/openapi.json").json
    fields = document["components"]["schemas"]["GenerationRequest"]["properties"]
    assert fields["n"]["maximum"] == 2
    assert "1 to 20 characters" in fields["prompt"]["description"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> Any:
    """Runs `creativeai serve` as far as its settings."""

    def serve(*options: str, **environment: str) -> ServerSettings:
        found: list[ServerSettings] = []
        monkeypatch.setattr(run, "serve", lambda bundles, **given: found.append(given["settings"]))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["creativeai", "serve", "--models", str(bundle), *options])
        with pytest.raises(SystemExit) as done:
            main()
        if done.value.code:
            raise done.value
        return found[0]

    return serve


def test_defaults(served: Any) -> None:
    settings = served("--threads", "3")
    assert settings == ServerSettings(num_threads=3)
    assert (settings.keys, settings.cors_origins, settings.limits.rate_limit) == (None, (), None)


def test_every_setting_by_option(served: Any, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("alices-own-key-0123")
    settings = served(
        *("--max-body", "2048", "--max-prompt", "30", "--max-n", "3", "--queue-length", "4"),
        *("--queue-seconds", "0.5", "--max-wait", "6.5", "--rate-limit", "7", "--threads", "8"),
        *("--cors-origin", "https://a.example", "--cors-origin", "http://localhost:3000"),
        *("--trusted-proxies", "1", "--log-format", "json", "--open-metrics"),
        *("--api-keys", str(tmp_path / "keys")),
    )
    assert settings.limits == Limits(2048, 30, 3, 4, 0.5, 6.5, 7)
    assert settings.num_threads == 8
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert (settings.trusted_proxies, settings.log_format, settings.open_metrics) == (1, "json", True)
    assert settings.keys.find("alices-own-key-0123")


def test_every_setting_by_environment(served: Any, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("alices-own-key-0123")
    settings = served(
        CREATIVEAI_MAX_BODY="2048",
        CREATIVEAI_MAX_PROMPT="30",
        CREATIVEAI_MAX_N="3",
        CREATIVEAI_QUEUE_LENGTH="4",
        CREATIVEAI_QUEUE_SECONDS="0.5",
        CREATIVEAI_MAX_WAIT="6.5",
        CREATIVEAI_RATE_LIMIT="7",
        CREATIVEAI_THREADS="8",
        CREATIVEAI_CORS_ORIGINS="https://a.example http://localhost:3000",
        CREATIVEAI_TRUSTED_PROXIES="1",
        CREATIVEAI_LOG_FORMAT="json",
        CREATIVEAI_OPEN_METRICS="1",
        CREATIVEAI_API_KEYS_FILE=str(tmp_path / "keys"),
    )
    assert settings.limits == Limits(2048, 30, 3, 4, 0.5, 6.5, 7)
    assert settings.num_threads == 8
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert (settings.trusted_proxies, settings.log_format, settings.open_metrics) == (1, "json", True)
    assert settings.keys.find("alices-own-key-0123")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-body", "0"), "--max-body is 0: give 1024 to 8388608"),
        (("--max-prompt", "1001"), "--max-prompt is 1001: give 1 to 1000"),
        (("--max-n", "65"), "--max-n is 65: give 1 to 64"),
        (("--max-n", "many"), "--max-n (or CREATIVEAI_MAX_N) is 'many': give a whole number"),
        (("--queue-length", "-1"), "--queue-length is -1: give 1 to 1000"),
        (("--queue-seconds", "nan"), "--queue-seconds is nan: give 0.01 to 600"),
        (("--max-wait", "inf"), "--max-wait is inf: give 0.1 to 600"),
        (("--max-wait", "long"), "--max-wait (or CREATIVEAI_MAX_WAIT) is 'long': give a number"),
        (("--rate-limit", "0"), "--rate-limit is 0: give 1 to 1000000"),
        (("--threads", "0"), "--threads is 0: give 1 to 256"),
        (("--trusted-proxies", "-1"), "--trusted-proxies is -1: give 0 to 10"),
        (("--cors-origin", "*"), "--cors-origin is '*': give a page's scheme and host"),
        (("--cors-origin", "https://a.example/x"), "--cors-origin is 'https://a.example/x': give"),
        (("--log-format", "xml"), "--log-format is 'xml': give text or json"),
        (("--api-keys", "/nowhere"), "--api-keys: /nowhere can't be read: No such file or directory"),
    ],
)
def test_wrong_value_is_one_line(
    served: Any, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as done:
        served(*options)
    assert done.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"creativeai: {said}")


def test_wrong_value_of_the_environment_is_one_line(served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        served(CREATIVEAI_QUEUE_LENGTH="long")
    [line] = capsys.readouterr().err.splitlines()
    assert "CREATIVEAI_QUEUE_LENGTH" in line and "'long'" in line


def test_limits_are_checked_wherever_they_come_from() -> None:
    with pytest.raises(UserError, match="--max-n"):
        Limits(max_n=0)

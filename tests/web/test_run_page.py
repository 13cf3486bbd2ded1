from typing import Any

import pytest

from creativeai import wsgi
from creativeai.cli import main
from creativeai.errors import UserError
from creativeai.logs import log_config
from creativeai.web.run import serve_page


@pytest.mark.parametrize("url", ["", "127.0.0.1:8801", "ftp://127.0.0.1", "http://"])
def test_api_that_is_no_address(url: str) -> None:
    with pytest.raises(UserError, match=r"^--api must be an address like http://127\.0\.0\.1:8801, not "):
        serve_page(url, host="127.0.0.1", port=0)


def test_port_in_use() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} on 127.0.0.1 is in use"):
            serve_page("http://127.0.0.1:8801", host="127.0.0.1", port=port)


def test_log_is_of_the_format_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    configs: list[dict[str, Any]] = []
    monkeypatch.setattr(wsgi, "serve", lambda app, listener, threads, config: configs.append(config))
    monkeypatch.setenv("CREATIVEAI_LOG_FORMAT", "json")
    for options in ([], ["--log-format", "text"]):
        with pytest.raises(SystemExit) as done:
            monkeypatch.setattr("sys.argv", ["creativeai", "web", "--port", "0", *options])
            main()
        assert done.value.code == 0
    assert configs == [log_config("json"), log_config("text")]


def test_wrong_log_format_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["creativeai", "web", "--log-format", "xml"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    assert capsys.readouterr().err == "creativeai: --log-format is 'xml': give text or json\n"

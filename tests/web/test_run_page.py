import pytest

from creativeai import wsgi
from creativeai.errors import UserError
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

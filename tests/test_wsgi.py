import pytest

from creativeai import wsgi
from creativeai.errors import UserError


def test_port_zero_takes_a_free_one() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        assert wsgi.address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_port_in_use_names_port_and_option() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UserError, match=f"^port {port} on 127.0.0.1 is in use: .* --api-port$"):
            wsgi.listen("127.0.0.1", port, "--api-port")


@pytest.mark.parametrize("port", [-1, 65536])
def test_port_out_of_range(port: int) -> None:
    with pytest.raises(UserError, match=f"^--port must be 0 to 65535, not {port}$"):
        wsgi.listen("127.0.0.1", port)


def test_address_that_is_not_ours() -> None:
    with pytest.raises(UserError, match=r"^can't listen on 192\.0\.2\.1 port 0: "):
        wsgi.listen("192.0.2.1", 0)

"""A server over a tiny model: the app itself, and a process that serves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from creativeai.engine import Engine
from creativeai.server.app import create_app
from creativeai.server.settings import ServerSettings
from server.live_server import start_server, stop_server
from tiny_bundle import make_tiny_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def attentive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of three stages, 16 to 64, the first two with attention maps."""
    folder = tmp_path_factory.mktemp("models")
    return make_tiny_bundle(folder, "attentive", resolution=64, num_stages=3, attends=True)


@pytest.fixture(scope="session")
def shared_app(bundle: Path) -> OpenAPI:
    """An app whose state no test may change."""
    return create_app({"tiny": bundle}, settings=ServerSettings(num_threads=2), wait_for_models=True)


@pytest.fixture
def client(shared_app: OpenAPI) -> FlaskClient:
    return shared_app.test_client()


@pytest.fixture(scope="session")
def engine(shared_app: OpenAPI) -> Engine:
    """The engine behind the app."""
    engine: Engine = shared_app.extensions["models"].get("tiny").engine
    return engine


@pytest.fixture(scope="session")
def server_url(bundle: Path) -> Iterator[str]:
    """Address of a real server over the tiny model, in a process of its own."""
    process, url = start_server("--models", str(bundle), "--threads", "2")
    yield url
    stop_server(process)

"""Bundles to publish, and stores of every kind: a folder, a memory without conditional writes, an S3."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiny_bundle import make_tiny_bundle


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three versions of one model that differ in their metrics."""
    folder = tmp_path_factory.mktemp("bundles")
    return [
        make_tiny_bundle(folder / str(i), resolution=16 << i, metrics={"kid": score}, description=f"no {i}")
        for i, score in enumerate((30.0, 10.0, 20.0))
    ]


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """URL of a bucket in a local S3."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("NO_PROXY", "127.0.0.1")
        boto3.client("s3").create_bucket(Bucket="models")
        yield "s3://models"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Path or URL of an empty store."""
    name = uuid.UUID(bytes=os.urandom(16)).hex
    if request.param == "folder":
        return str(tmp_path / "store")
    if request.param == "memory":
        pytest.importorskip("fsspec")
        return f"memory://{name}"
    return f"{request.getfixturevalue('s3_bucket')}/{name}"

"""Serves the API: one process with threads.

A second process would hold every model again and could not share a queue; the engine's threads use the other
cores.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from creativeai import wsgi
from creativeai.errors import UserError
from creativeai.logs import log_config
from creativeai.server.memory import restart_without_thread_caches
from creativeai.server.settings import ServerSettings

if TYPE_CHECKING:
    from flask_openapi3 import OpenAPI

    from creativeai.server.following import FollowedStore

# A waiting request holds a thread: there must be more of them than can wait, so that refusals don't wait too.
_NUM_SPARE_THREADS = 32
_MAX_WAITING_REQUESTS = 1000
# How many busy models of a store there are threads for; they are started when they are needed.
_NUM_MODELS_OF_A_STORE = 4


def serve(
    bundles: Mapping[str, Path],
    *,
    host: str,
    port: int,
    settings: ServerSettings,
    store: "FollowedStore | None" = None,
) -> None:
    """Serve the models until Ctrl-C or SIGTERM; requests under way are finished.

    With glibc the process starts its program anew first; see `restart_without_thread_caches`.

    Args:
        bundles: Folder of each model, by name; the first is the default.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        settings: How to serve.
        store: Serve the models of this store too, and follow it. It need not be reachable now.

    Raises:
        UserError: There are no models and no store, or the address can't be had.
    """
    if not bundles and store is None:
        raise UserError("there are no models to serve: export one and give its folder as --models")
    listener = wsgi.listen(host, port)
    restart_without_thread_caches()  # once what is asked for is known to be possible: the address is let go
    names = [*bundles, *([f"the models of {store.url}"] if store else [])]
    print(f"CreativeAI serves {', '.join(names)} at {wsgi.address(listener)}", flush=True)
    num_models = len(bundles) + (_NUM_MODELS_OF_A_STORE if store else 0)
    num_waiting = settings.limits.queue_length + settings.num_threads
    max_requests = min(num_models * num_waiting, _MAX_WAITING_REQUESTS)
    wsgi.serve(
        lambda: _make_app(bundles, settings, store, max_requests),
        listener,
        _NUM_SPARE_THREADS + max_requests,
        log_config(settings.log_format),
    )


def _make_app(
    bundles: Mapping[str, Path], settings: ServerSettings, store: "FollowedStore | None", max_requests: int
) -> "OpenAPI":
    # Imported here, in the worker: the process that watches over it stays small, and ONNX Runtime's threads
    # would not live through a fork.
    from creativeai.server.app import create_app

    return create_app(bundles, settings=settings, store=store, max_requests=max_requests)

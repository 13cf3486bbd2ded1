"""`creativeai serve`, `web` and `demo`: what stays up until Ctrl-C, thin."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from creativeai.errors import UserError

__all__ = ["demo", "serve", "web"]

KEY_VARIABLE = "CREATIVEAI_API_KEY"

_Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")]
_Models = Annotated[
    Optional[list[Path]], typer.Option(help="A folder of bundles, or a bundle; may be given several times.")
]

_LogFormat = Annotated[
    str, typer.Option(envvar="CREATIVEAI_LOG_FORMAT", help="text, or json: an object a line.")
]


def _number(kind: type, option: str, variable: str, text: str) -> Any:
    """A number option that the environment can set too, whose errors are one line."""

    def parse(value: str) -> Any:
        try:
            return kind(value)
        except ValueError:
            what = "whole number" if kind is int else "number"
            raise UserError(f"{option} (or {variable}) is {str(value)!r}: give a {what}") from None

    parser: Callable[[str], Any] = parse
    return typer.Option(option, envvar=variable, parser=parser, metavar="N", help=text)


def serve(
    host: _Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8801,
    models: _Models = None,
    threads: Annotated[
        Optional[int],
        _number(int, "--threads", "CREATIVEAI_THREADS", "Pictures each model makes at once; one a core."),
    ] = None,
    store: Annotated[
        Optional[str],
        typer.Option(help="Serve what this model store has, and follow it; CREATIVEAI_STORE says it too."),
    ] = None,
    alias: Annotated[
        str, typer.Option(help="Of each of the store's models, serve its version of this alias.")
    ] = "champion",
    cache: Annotated[
        Optional[Path], typer.Option(help="Folder for what was pulled; the user's cache when left out.")
    ] = None,
    look_seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between two looks into the store.")
    ] = 5.0,
    api_keys: Annotated[
        Optional[Path],
        typer.Option(
            envvar="CREATIVEAI_API_KEYS_FILE",
            help="File of keys, KEY or NAME:KEY a line: who has none is refused. Read again when it changes.",
        ),
    ] = None,
    open_metrics: Annotated[
        bool,
        typer.Option(
            "--open-metrics", envvar="CREATIVEAI_OPEN_METRICS", help="With keys: /metrics asks for none."
        ),
    ] = False,
    rate_limit: Annotated[
        Optional[int],
        _number(int, "--rate-limit", "CREATIVEAI_RATE_LIMIT", "Pictures a minute of one key, or address."),
    ] = None,
    max_n: Annotated[int, _number(int, "--max-n", "CREATIVEAI_MAX_N", "Pictures of a request.")] = 64,
    max_prompt: Annotated[
        int, _number(int, "--max-prompt", "CREATIVEAI_MAX_PROMPT", "Characters of a prompt, 1 to 1000.")
    ] = 1000,
    max_body: Annotated[
        int, _number(int, "--max-body", "CREATIVEAI_MAX_BODY", "Bytes of a request's body.")
    ] = 64 * 1024,
    queue_length: Annotated[
        int,
        _number(int, "--queue-length", "CREATIVEAI_QUEUE_LENGTH", "Pictures that may wait for a model."),
    ] = 128,
    queue_seconds: Annotated[
        float,
        _number(
            float,
            "--queue-seconds",
            "CREATIVEAI_QUEUE_SECONDS",
            "Refuse a request that would wait longer for those before it.",
        ),
    ] = 1,
    max_wait: Annotated[
        float,
        _number(float, "--max-wait", "CREATIVEAI_MAX_WAIT", "Seconds until a request is given up."),
    ] = 60,
    cors_origin: Annotated[
        Optional[list[str]],
        typer.Option(
            envvar="CREATIVEAI_CORS_ORIGINS",
            help="A page, such as https://pictures.example, whose scripts may call the API; several times.",
        ),
    ] = None,
    trusted_proxies: Annotated[
        int,
        _number(
            int,
            "--trusted-proxies",
            "CREATIVEAI_TRUSTED_PROXIES",
            "Proxies in front of the server whose X-Forwarded-* headers are believed.",
        ),
    ] = 0,
    log_format: _LogFormat = "text",
) -> None:
    """Serve the models as a REST API that follows OpenAI's Images API."""
    from creativeai.bundles import find_bundles
    from creativeai.cli_store import followed_store
    from creativeai.server.keys import KeyFile
    from creativeai.server.limits import Limits
    from creativeai.server.run import serve as run
    from creativeai.server.settings import ServerSettings

    settings = ServerSettings(
        num_threads=os.cpu_count() or 1 if threads is None else threads,
        limits=Limits(
            max_body_bytes=max_body,
            max_prompt_length=max_prompt,
            max_n=max_n,
            queue_length=queue_length,
            queue_seconds=queue_seconds,
            max_wait=max_wait,
            rate_limit=rate_limit,
        ),
        keys=None if api_keys is None else KeyFile(api_keys),
        open_metrics=open_metrics,
        cors_origins=tuple(cors_origin or ()),
        trusted_proxies=trusted_proxies,
        log_format=log_format,  # type: ignore[arg-type]  # the settings check it
    )
    followed = followed_store(store, models, alias, cache, look_seconds)
    bundles = find_bundles(models or ()) if followed is None else {}
    run(bundles, host=host, port=port, settings=settings, store=followed)


def web(
    api: Annotated[
        str, typer.Option(envvar="CREATIVEAI_API_URL", help="Where the REST API is.")
    ] = "http://127.0.0.1:8801",
    host: _Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8800,
    api_key_file: Annotated[
        Optional[Path],
        typer.Option(
            envvar="CREATIVEAI_API_KEY_FILE",
            help=f"File with the API's key, if it wants one; or {KEY_VARIABLE} says the key itself.",
        ),
    ] = None,
    log_format: _LogFormat = "text",
) -> None:
    """Serve the page, which draws by the REST API."""
    from creativeai.web.api_key import check_api_key, read_api_key
    from creativeai.web.run import serve_page

    key = None
    if api_key_file is not None:
        key = read_api_key(api_key_file)
    elif given := os.environ.get(KEY_VARIABLE):
        key = check_api_key(given, KEY_VARIABLE)
    serve_page(
        api,
        host=host,
        port=port,
        api_key=key,
        log_format=log_format,  # type: ignore[arg-type]  # it is checked there
    )


def demo(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 8800,
    api_port: Annotated[int, typer.Option(help="Port of the REST API; 0 takes a free one.")] = 8801,
    models: _Models = None,
) -> None:
    """Serve models and page on this machine: both processes, until Ctrl-C."""
    from creativeai.demo import run_demo

    run_demo(port=port, api_port=api_port, models=models or ())

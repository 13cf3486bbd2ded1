"""The Flask app: the models behind it and its routes."""

import threading
from collections.abc import Mapping
from pathlib import Path

from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from creativeai import __version__
from creativeai.server.errors import add_error_handlers, raise_validation_error
from creativeai.server.following import FollowedStore, StoreFollower
from creativeai.server.hosting import ModelHost
from creativeai.server.image_routes import add_image_routes
from creativeai.server.making import PictureMaker
from creativeai.server.metrics import Metrics
from creativeai.server.model_routes import add_model_routes
from creativeai.server.request_hooks import surround_requests
from creativeai.server.schemas import ErrorResponse
from creativeai.server.settings import ServerSettings
from creativeai.server.status_routes import add_status_routes


def create_app(
    bundles: Mapping[str, Path],
    *,
    settings: ServerSettings | None = None,
    wait_for_models: bool = False,
    store: FollowedStore | None = None,
    max_requests: int = 1000,
) -> OpenAPI:
    """Make the API over some models.

    Args:
        bundles: Folder of each model, by name; the first is the default.
        settings: How to serve; the defaults when left out.
        wait_for_models: Load the models before returning, instead of in the background.
        store: Serve the models of this store too, and follow it.
        max_requests: Requests of all models that may wait for pictures at once.

    Returns:
        The app; `app.extensions["models"]` is its `ModelHost`.
    """
    settings = settings or ServerSettings()
    app = OpenAPI(
        __name__,
        info=Info(
            title="CreativeAI",
            version=__version__,
            description="A sentence in, a picture out. OpenAI's Images API, and a little more.",
        ),
        responses={500: ErrorResponse},
        security_schemes={},
        # The library would describe this status by an answer of its own wherever we don't: everywhere we do.
        validation_error_status=500,
        validation_error_model=ErrorResponse,
        validation_error_callback=raise_validation_error,
        doc_ui=False,
        static_folder=None,
    )
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers in the order of their schemas
    metrics = Metrics()
    models = ModelHost(bundles, settings=settings, metrics=metrics)
    follower = None if store is None else StoreFollower(models, store)
    app.extensions["models"] = models
    if settings.trusted_proxies:
        # Without it anybody could claim any address, and escape the limit on its rate.
        num = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=num, x_proto=num, x_host=num, x_port=num, x_prefix=num
        )
    surround_requests(app, metrics, settings)
    add_error_handlers(app, metrics)
    maker = PictureMaker(settings.limits, max_requests)
    add_image_routes(app, models, maker, metrics, settings.limits)
    add_model_routes(app, models)
    add_status_routes(app, models, metrics, follower, settings)

    def load() -> None:
        models.load()
        if follower is not None:
            follower.start()
        models.finish_loading()

    if wait_for_models:
        load()
    else:
        threading.Thread(target=load, name="model loader", daemon=True).start()
    return app

"""The models a server has: loaded in the background, each with its queue."""

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from creativeai.bundles import read_bundle
from creativeai.engine import Engine
from creativeai.errors import UnknownModelError, UserError
from creativeai.server.errors import ApiError
from creativeai.server.memory import FreedMemory, give_back_freed_memory
from creativeai.server.metrics import Metrics
from creativeai.server.queueing import PictureQueue
from creativeai.server.settings import ServerSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HostedModel:
    """A model ready to be asked."""

    name: str
    path: Path
    digest: str
    """Changes with anything in the bundle."""
    engine: Engine
    queue: PictureQueue
    version: int | None = None
    """Its number in the store that the server follows; None for a bundle of its own."""

    @property
    def resolutions(self) -> list[int]:
        """Side of each stage's pictures, coarse to fine."""
        return [stage.resolution for stage in self.engine.manifest.stages]


class ModelHost:
    """Loads models and hands them out by name.

    Args:
        bundles: Folder of each model, by name; the first is the default.
        settings: Of the server.
        metrics: Told of pictures and queues.
    """

    def __init__(
        self,
        bundles: Mapping[str, Path],
        *,
        settings: ServerSettings,
        metrics: Metrics,
    ) -> None:
        self._bundles = dict(bundles)
        self._names = list(bundles)
        self._settings = settings
        self._metrics = metrics
        self._models: dict[str, HostedModel] = {}
        self._loaded = threading.Event()
        self._freed_memory = FreedMemory()

    def load(self) -> None:
        """Load every bundle. One that can't be loaded is logged; the others are served."""
        for name, path in self._bundles.items():
            try:
                self.serve(name, path)
            except UserError as error:
                logger.error("model %s can't be served: %s", name, error)
            except Exception:
                logger.exception("model %s can't be served", name)

    def finish_loading(self) -> None:
        """From now on a model that isn't there could not be loaded."""
        # Loading takes 100 MB more than a model needs then.
        give_back_freed_memory()
        self._loaded.set()

    def expect(self, name: str) -> None:
        """There should be a model of that name, whether it can be loaded or not."""
        if name not in self._names:
            self._names.append(name)

    def serve(self, name: str, path: Path, version: int | None = None) -> None:
        """Load a model and serve it from now on; the one it replaces finishes what it has.

        Raises:
            UserError: It can't be loaded; the one before it goes on.
        """
        self.expect(name)
        replaced = self._models.get(name)
        model = self._load(name, path, version)
        # A new dict, since requests go through the old one meanwhile.
        self._models = {**self._models, name: model}
        if replaced is not None:
            replaced.queue.close()
            del replaced
            give_back_freed_memory()

    def version(self, name: str) -> int | None:
        """Number of the version that is served; None if there is no such model or it is of no store."""
        model = self._models.get(name)
        return None if model is None else model.version

    def _load(self, name: str, path: Path, version: int | None) -> HostedModel:
        bundle = read_bundle(path)
        num_threads, limits = self._settings.num_threads, self._settings.limits
        engine = Engine(bundle, num_threads, on_stage=self._metrics.stage_observer(name))
        observe_picture = self._metrics.picture_observer(name)

        def note_picture(seconds: float) -> None:
            observe_picture(seconds)
            self._freed_memory.note_picture()

        queue = PictureQueue(
            lambda request: engine.generate([request])[0],
            num_workers=num_threads,
            max_waiting=limits.queue_length,
            max_seconds=limits.queue_seconds,
            on_picture=note_picture,
        )
        self._metrics.queue_depth.labels(name).set_function(lambda: queue.num_waiting)
        digest = hashlib.sha256((path / "bundle.json").read_bytes()).hexdigest()
        return HostedModel(name, path, digest, engine, queue, version)

    def status(self) -> dict[str, bool]:
        """Whether each model could be loaded.

        Raises:
            ApiError: 503 while models are loading, and when none could be loaded.
        """
        self._require_loaded()
        if not self._models:
            raise ApiError(503, "no model could be loaded: the server's log says why", code="no_model")
        return {name: name in self._models for name in self._names}

    def all(self) -> list[HostedModel]:
        """The models that are ready.

        Raises:
            ApiError: 503 while models are loading.
        """
        self._require_loaded()
        return list(self._models.values())

    def get(self, name: str | None) -> HostedModel:
        """The model of that name, or the first one.

        Raises:
            ApiError: 503 while models are loading, and for one that could not be loaded.
            UnknownModelError: There is no such model.
        """
        self.status()
        models = self._models
        if name is None:
            return next(iter(models.values()))
        if name in models:
            return models[name]
        if name in self._names:
            message = f"the model {name} could not be loaded: the server's log says why"
            raise ApiError(503, message, code="model_unavailable", param="model")
        raise UnknownModelError(f"there is no model {name[:100]!r} (known here: {', '.join(self._models)})")

    def _require_loaded(self) -> None:
        if not self._loaded.is_set():
            message = "the models are still being loaded: try again in a second"
            raise ApiError(503, message, code="model_loading", headers={"Retry-After": "1"})

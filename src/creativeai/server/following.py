"""Follows a model store: serves each model's version of an alias, and the next one within seconds.

A thread of its own looks into the store. Whatever goes wrong there (the store is gone, a version is broken,
the disk of the cache is full), the server goes on with what it has.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from creativeai.bundles.catalog import DEFAULT_NAME
from creativeai.errors import StoreError, UserError
from creativeai.server.hosting import ModelHost
from creativeai.server.schemas import StoreReadiness
from creativeai.store.cache_keeping import (
    Remembered,
    clean_cache,
    memory_file,
    read_memory,
    using_cache,
    write_memory,
)
from creativeai.store.local_storage import refuse_mistyped_folder
from creativeai.store.pulling import is_whole, pull_to_cache
from creativeai.store.reading import aliased_number, model_names, open_store, read_version
from creativeai.store.storage import Storage

__all__ = ["FollowedStore", "StoreFollower", "refuse_mistyped_store"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FollowedStore:
    """Which store a server follows, and how."""

    url: str
    alias: str
    """Of each model, its version of this alias is served."""
    cache: Path
    """Folder of the versions pulled so far."""
    look_seconds: float = 5.0
    """Seconds between two looks into the store."""
    retry_seconds: float = 60.0
    """Seconds until a version that could not be served is tried again: a full disk may have been emptied."""


def refuse_mistyped_store(store: FollowedStore) -> None:
    """Refuse a folder that can't become a store by waiting; what was served from it before goes on without.

    Raises:
        StoreError: As said.
    """
    if not read_memory(memory_file(store.cache, store.url, store.alias)):
        refuse_mistyped_folder(store.url)


@dataclass(frozen=True)
class _Refused:
    """A version that could not be served."""

    version: int | None
    problem: str
    when: float
    """By the monotonic clock, which nobody sets."""


class StoreFollower:
    """Keeps a server's models as a store has them.

    Args:
        host: The server's models; only this follower's thread changes them.
        store: What to follow.
    """

    def __init__(self, host: ModelHost, store: FollowedStore) -> None:
        self._host = host
        self._store = store
        self._served: dict[str, Remembered] = {}
        self._memory = memory_file(store.cache, store.url, store.alias)
        self._remembered = read_memory(self._memory)
        self._refused: dict[str, _Refused] = {}
        self._must_clean = True
        self._last_reached: float | None = None
        self._problem: str | None = None

    def start(self) -> None:
        """Load the models and go on following in the background.

        A store that can't be reached now is no reason to serve nothing: the models served last time are in
        the cache.
        """
        self.look()
        if self._last_reached is None:
            self._serve_remembered()
        threading.Thread(target=self._run, name="store follower", daemon=True).start()

    def look(self) -> None:
        """Look into the store once, and serve what is new there."""
        try:
            storage = open_store(self._store.url)
            names = model_names(storage)
            for name in _default_first(names):
                self._follow(storage, name)
            for name in self._served.keys() - set(names):
                self._miss(name)
            self._keep_house()
        except UserError as error:
            self._note_problem(str(error))
        except Exception as error:
            if self._problem != str(error):
                logger.exception("the model store can't be followed")
            self._problem = str(error)
        else:
            if self._problem is not None:
                logger.info("the model store %s is back", self._store.url)
            self._note_nothing(is_first=self._last_reached is None or self._problem is not None)
            self._problem = None
            self._last_reached = time.monotonic()

    def state(self) -> StoreReadiness:
        """What /readyz tells of the store."""
        reached = self._last_reached
        refused = {name: one.version for name, one in self._refused.copy().items()}
        return StoreReadiness(
            alias=self._store.alias,
            reachable=self._problem is None,
            seconds_since_reached=None if reached is None else round(time.monotonic() - reached, 1),
            # One that is served by now is noted as such only when its look is over.
            refused={
                name: version
                for name, version in refused.items()
                if version is None or version != self._host.version(name)
            },
        )

    def _run(self) -> None:
        while True:
            time.sleep(self._store.look_seconds)
            if _is_ending():
                return
            self.look()

    def _follow(self, storage: Storage, name: str) -> None:
        """Serve a model's version of the alias, unless it is served or was refused a moment ago.

        Raises:
            StoreError: The store can't be reached.
        """
        number = None
        try:
            number = aliased_number(storage, name, self._store.alias)
            if number is None:
                self._miss(name)
                return
            if number == self._host.version(name):
                self._refused.pop(name, None)
                return
            if self._was_refused_lately(name, number):
                return
            version = read_version(storage, name, number)
            with using_cache(self._store.cache):
                self._host.serve(name, pull_to_cache(storage, version, self._store.cache), number)
                self._remember(name, number, version.digest)
        except StoreError:
            raise
        except UserError as error:
            self._refuse(name, number, str(error))
        except Exception as error:
            if _is_ending():
                return
            logger.exception("model %s, version %s can't be served", name, number)
            self._refuse(name, number, str(error))
        else:
            logger.info("model %s: version %d is served", name, number)
            self._refused.pop(name, None)

    def _was_refused_lately(self, name: str, number: int) -> bool:
        before = self._refused.get(name)
        if before is None or before.version != number:
            return False
        return time.monotonic() - before.when < self._store.retry_seconds

    def _miss(self, name: str) -> None:
        """A model has no version of the alias: if it had one, that goes on."""
        if (served := self._host.version(name)) is not None:
            problem = f"it has no {self._store.alias} in the store any more: version {served} goes on"
            self._refuse(name, None, problem)

    def _refuse(self, name: str, number: int | None, problem: str) -> None:
        self._host.expect(name)
        before = self._refused.get(name)
        if before is None or (before.version, before.problem) != (number, problem):
            which = f"model {name}" if number is None else f"model {name}, version {number}"
            logger.error("%s can't be served: %s", which, problem)
        self._refused[name] = _Refused(number, problem, time.monotonic())

    def _note_problem(self, problem: str) -> None:
        if problem != self._problem:
            goes_on = (
                "what was served goes on" if self._served or self._remembered else "nothing is served yet"
            )
            logger.warning("the model store can't be followed, %s: %s", goes_on, problem)
        self._problem = problem

    def _note_nothing(self, *, is_first: bool) -> None:
        """Say once why nothing is served, although nothing is wrong: otherwise nobody could tell."""
        if is_first and not self._served and not self._refused:
            logger.warning(
                "nothing is served yet: no model in %s has the alias %s; "
                "give one by creativeai store promote STORE NAME --alias %s",
                self._store.url,
                self._store.alias,
                self._store.alias,
            )

    def _remember(self, name: str, number: int, digest: str) -> None:
        """Write down what is served, for a start without the store, and that its folder is in use."""
        last = self._served.get(name) or self._remembered.get(name)
        before = None if last is None else last.before if last.digest == digest else last.digest
        self._served[name] = Remembered(number, digest, before)
        self._must_clean = True
        try:
            write_memory(self._memory, self._remembered | self._served)
        except OSError as error:
            logger.warning("can't write %s: %s", self._memory, error.strerror)

    def _keep_house(self) -> None:
        """After a whole look at the store: forget models that are gone, and remove versions nobody serves."""
        self._remembered = {}
        if self._must_clean:
            for folder in clean_cache(self._store.cache):
                logger.info("removed from the cache, nobody serves it: %s", folder)
            self._must_clean = False

    def _serve_remembered(self) -> None:
        """Serve what was served when the store could last be reached, as far as the cache has it."""
        for name in _default_first(self._remembered.keys() - self._served.keys()):
            served = self._remembered[name]
            # The digest becomes a path: whatever else the file says, it must not lead elsewhere.
            folder = self._store.cache / "bundles" / Path(served.digest).name
            try:
                if is_whole(folder, served.digest):
                    self._host.serve(name, folder, served.version)
                    self._served[name] = served
                    logger.warning("model %s: version %d is served from the cache", name, served.version)
            except UserError as error:
                self._refuse(name, served.version, str(error))


def _is_ending() -> bool:
    """Whether the process ends: it can load nothing any more."""
    return not threading.main_thread().is_alive()


def _default_first(names: Iterable[str]) -> list[str]:
    """The first model is the one that is used unless another is asked for."""
    return sorted(names, key=lambda name: (name != DEFAULT_NAME, name))

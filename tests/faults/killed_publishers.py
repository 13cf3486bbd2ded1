"""Kills publishers of a store at random moments: python tests/faults/killed_publishers.py

Two publishers run at a time. After each kill every version that is listed must be whole, every publisher that
said it was done must have its version, and numbers must have no gap. In the end what the killed ones left is
cleaned away.
"""

import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from creativeai.bundles.writer import write_bundle
from creativeai.store import Version, all_versions, clean, open_store, publish
from creativeai.store.pulling import is_whole
from creativeai.store.reading import version_numbers

_BALLAST = 2_000_000
"""Bytes that make publishing take a while."""


@dataclass(frozen=True)
class Outcome:
    """How many publishers were killed in time, and how many were faster."""

    num_killed: int
    num_finished: int


def kill_publishers(folder: Path, num_kills: int, seed: int) -> Outcome:
    """Start pairs of publishers and kill one of each pair; the other must succeed.

    Raises:
        AssertionError: Something half was listed, or something published was lost.
    """
    choice = random.Random(seed)
    store = str(folder / "store")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["creativeai.store", "creativeai.store.local_storage"])
    start = _Starter(processes, store)
    first, second = (start(_bundle(folder / name)) for name in ("first", "second"))
    first.go()
    second.go()
    done = {"first": first.wait(), "second": second.wait()}
    promised = {publication.number: name for name, publication in done.items() if publication is not None}
    assert sorted(promised) == [1, 2]
    seconds = max(publication.seconds for publication in done.values() if publication is not None)
    num_killed = 0
    for attempt in range(num_kills):
        bundles = [_bundle(folder / f"{attempt}-{which}") for which in "ab"]
        victim, other = map(start, bundles)
        victim.go()
        other.go()
        # By how long the last one took: the first may take many times as long.
        time.sleep(choice.uniform(0, 1.2 * seconds))
        victim.process.kill()
        if (finished := victim.wait()) is not None:
            promised[finished.number] = _description(bundles[0])
        else:
            num_killed += 1
        publication = other.wait()
        assert publication is not None, "the publisher that was not killed failed"
        promised[publication.number] = _description(bundles[1])
        seconds = publication.seconds
        _check(store, promised)
    for removed in clean(open_store(store), min_age_seconds=0.0):
        assert isinstance(removed, str), removed
    _check(store, promised)
    num_uploads = len(list(Path(store, "models", "tiny", "uploads").iterdir()))
    assert num_uploads == len(version_numbers(open_store(store), "tiny")), "a leftover was not cleaned away"
    assert not list(Path(store).rglob(".*"))
    return Outcome(num_killed, num_kills - num_killed)


@dataclass(frozen=True)
class _Publication:
    """The version's number, and how long it took to publish."""

    number: int
    seconds: float


@dataclass(frozen=True)
class _Starter:
    """Starts publishers as processes that have imported already what they need."""

    processes: Any
    store: str

    def __call__(self, bundle: Path) -> "_Publisher":
        """Start one that waits for its `go`."""
        ours, theirs = self.processes.Pipe()
        process = self.processes.Process(target=_publish, args=(self.store, bundle, theirs))
        process.start()
        theirs.close()
        assert ours.recv() == "ready"
        return _Publisher(process, ours)


@dataclass(frozen=True)
class _Publisher:
    process: Any
    pipe: Connection

    def go(self) -> None:
        self.pipe.send("go")

    def wait(self) -> _Publication | None:
        """What it says of its publication; None if it was killed before."""
        self.process.join()
        try:
            publication: _Publication = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None
        return publication


def _publish(store: str, bundle: Path, pipe: Connection) -> None:
    pipe.send("ready")
    pipe.recv()
    begun = time.monotonic()
    number = publish(store, bundle).version.number
    pipe.send(_Publication(number, time.monotonic() - begun))


def _bundle(folder: Path) -> Path:
    # Not above: publishers import this file too, and would wait for onnx.
    from tiny_bundle import make_tiny_bundle

    tiny = make_tiny_bundle(folder / "tiny", description=folder.name)
    files = {path.name: path.read_bytes() for path in tiny.iterdir() if path.name != "bundle.json"}
    files["ballast"] = bytes(_BALLAST)
    from creativeai.bundles import read_bundle
    from creativeai.bundles.manifest import manifest_content

    fields = manifest_content(read_bundle(tiny).manifest)
    return write_bundle(folder / "heavy", fields, files).path


def _description(bundle: Path) -> str:
    return bundle.parent.name


def _check(store: str, promised: dict[int, str]) -> None:
    storage = open_store(store)
    numbers = version_numbers(storage, "tiny")
    assert numbers == list(range(1, len(numbers) + 1)), f"the versions are {numbers}"
    listed = {}
    for version in all_versions(storage):
        assert isinstance(version, Version), version
        listed[version.number] = version.manifest.description
        place = Path(store) / "models" / "tiny" / "uploads" / version.upload
        assert is_whole(place, version.digest), f"{version.reference} is half"
    for number, description in promised.items():
        assert listed[number] == description, f"tiny@{number} was lost"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(kill_publishers(Path(name), 50, random.SystemRandom().randrange(2**32)))

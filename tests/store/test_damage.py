"""A store's files are trusted in nothing: damaged, hostile or newer ones are refused in one line."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.errors import BundleError, UserError
from creativeai.store import all_versions, find_version, open_store, pull
from creativeai.store.publishing import publish
from creativeai.store.pulling import pull_to_cache
from creativeai.store.records import parse_alias, parse_reference, parse_version


@pytest.fixture
def store(tmp_path: Path, bundles: list[Path]) -> Path:
    publish(str(tmp_path / "store"), bundles[0])
    return tmp_path / "store"


def record_of(store: Path) -> Path:
    return store / "models" / "tiny" / "versions" / "000001.json"


def upload_of(store: Path) -> Path:
    [folder] = (store / "models" / "tiny" / "uploads").iterdir()
    return folder


def pull_all(store: Path, out: Path) -> None:
    storage = open_store(str(store))
    pull(storage, find_version(storage, parse_reference("tiny@1")), out)


def link_out(store: Path) -> None:
    file = upload_of(store) / "generator.onnx"
    shutil.move(file, store.parent / "outside.onnx")
    file.symlink_to(store.parent / "outside.onnx")


def link_folder_out(store: Path) -> None:
    upload = upload_of(store)
    shutil.move(upload, store.parent / "outside")
    upload.symlink_to(store.parent / "outside")


def change_record(**fields: Any) -> Callable[[Path], None]:
    def change(store: Path) -> None:
        content = json.loads(record_of(store).read_text())
        record_of(store).write_text(json.dumps(content | fields))

    return change


def lead_out(store: Path) -> None:
    content = json.loads((upload_of(store) / "bundle.json").read_text())
    content["files"]["../../../x"] = {"sha256": "0" * 64, "size": 1}
    data = json.dumps(content).encode()
    (upload_of(store) / "bundle.json").write_bytes(data)
    from hashlib import sha256

    change_record(digest=sha256(data).hexdigest())(store)


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda store: os.truncate(upload_of(store) / "generator.onnx", 100), "has 100 bytes instead of"),
    (lambda store: (upload_of(store) / "generator.onnx").open("r+b").write(b"x"), "SHA-256 is not the one"),
    (lambda store: (upload_of(store) / "bundle.json").write_bytes(b"{}"), "SHA-256 of bundle.json"),
    (lambda store: (upload_of(store) / "MODEL_CARD.md").unlink(), "MODEL_CARD.md is missing"),
    (lambda store: shutil.rmtree(upload_of(store)), "is missing"),
    (lambda store: os.truncate(record_of(store), 100), "is damaged: it is not JSON"),
    (lambda store: os.truncate(record_of(store), 0), "is damaged: it is not JSON"),
    (lambda store: record_of(store).write_text("[" * 100_000), "is damaged"),
    (lambda store: record_of(store).write_bytes(b" " * 9_000_000), "more than 8000000 bytes"),
    (link_out, "is a link"),
    (link_folder_out, "is a link"),
    (lead_out, "leads out of the bundle"),
    (change_record(schema_version=2), r"newer CreativeAI .*pip install -U"),
    (change_record(schema_version=None), "no schema_version"),
    (change_record(manifest={"schema_version": 99}), "newer CreativeAI"),
    (change_record(manifest=None), "is not right"),
    (change_record(upload="../../../../etc"), "upload must be"),
    (change_record(digest="0"), "digest must be"),
    (change_record(version=2), "that of another version"),
    (change_record(name="other"), "that of another version"),
    (change_record(more=1), "more is unknown"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damaged_version_is_not_pulled(
    store: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(store)
    out = tmp_path / "out"
    with pytest.raises(BundleError, match=message) as caught:
        pull_all(store, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_damaged_record_does_not_hide_the_others(store: Path, bundles: list[Path]) -> None:
    publish(str(store), bundles[1])
    os.truncate(record_of(store), 50)
    second, first = all_versions(open_store(str(store)))
    assert isinstance(first, BundleError)
    assert not isinstance(second, BundleError) and second.number == 2
    assert publish(str(store), bundles[2]).version.number == 3


@pytest.mark.parametrize(
    "name", ["0000001.json", "000000.json", "1.json", "000002.txt", ".000002.json.tmp", "x"]
)
def test_files_that_are_no_records_are_not_read(store: Path, name: str) -> None:
    (record_of(store).parent / name).write_text("{")
    assert len(list(all_versions(open_store(str(store))))) == 1


def test_cache_mends_itself(store: Path, tmp_path: Path) -> None:
    storage = open_store(str(store))
    version = find_version(storage, parse_reference("tiny"))
    folder = pull_to_cache(storage, version, tmp_path / "cache")
    whole = (folder / "generator.onnx").read_bytes()
    (folder / "generator.onnx").write_bytes(b"damage")
    assert pull_to_cache(storage, version, tmp_path / "cache") == folder
    assert (folder / "generator.onnx").read_bytes() == whole
    shutil.rmtree(store)
    assert pull_to_cache(storage, version, tmp_path / "cache") == folder
    assert os.listdir(tmp_path / "cache" / "bundles") == [version.digest]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["schema_version", "name", "version", "published", "upload", "digest", "manifest", "removed"]


@given(st.binary(max_size=100) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    for parse in (parse_alias, lambda data, origin: parse_version(data, origin, "tiny", 1)):
        with pytest.raises(BundleError, match=r"it ") as caught:
            parse(data, "it")
        assert "\n" not in str(caught.value)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_record_is_read_or_refused(content: dict[str, Any]) -> None:
    data = json.dumps({"schema_version": 1, **content}).encode()
    try:
        parse_version(data, "it", "tiny", 1)
    except BundleError as error:
        assert "\n" not in str(error)


@given(st.text(max_size=30) | st.from_regex(r"[a-z.@/0-9]{1,12}", fullmatch=True))
def test_reference_is_read_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
    else:
        for part in (reference.name, reference.alias or ""):
            assert "/" not in part and not part.startswith(".")

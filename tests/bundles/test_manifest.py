import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creativeai.bundles import read_bundle
from creativeai.bundles.manifest import (
    AttentionMap,
    BundleManifest,
    DatasetSummary,
    FileEntry,
    Stage,
    TextEncoderInfo,
    TrainingSummary,
    check_file_name,
    parse_manifest,
)
from creativeai.errors import BundleError
from tiny_bundle import make_tiny_bundle

whole = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
lines = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=30).filter(
    str.isprintable
)
slugs = st.from_regex("[a-z0-9][a-z0-9_.-]{0,63}", fullmatch=True)
sha256s = st.from_regex("[0-9a-f]{64}", fullmatch=True)
counts = st.integers(0, 2**53)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | numbers | whole,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(whole, inner, max_size=3),
    max_leaves=5,
)
manifests = st.builds(
    BundleManifest,
    schema_version=st.just(2),
    name=slugs,
    title=lines,
    description=whole,
    recipe=slugs,
    preset=slugs,
    created=counts,
    code_version=lines,
    noise_dim=st.integers(1, 65536),
    stages=st.lists(st.integers(1, 4096), min_size=1, max_size=4, unique=True).map(
        lambda sizes: tuple(Stage(f"image_{size}", size) for size in sorted(sizes))
    ),
    text_encoder=st.builds(TextEncoderInfo, slugs, sha256s),
    dataset=st.builds(DatasetSummary, lines, lines, sha256s, lines, counts, counts, whole),
    training=st.builds(
        TrainingSummary,
        counts,
        counts,
        st.floats(0, 1e9),
        st.dictionaries(whole, json_values, max_size=3),
    ),
    metrics=st.dictionaries(whole, json_values, max_size=3),
    files=st.dictionaries(st.sampled_from(["a.md", "text/b"]), st.builds(FileEntry, sha256s, counts)).map(
        lambda files: {"generator.onnx": FileEntry("0" * 64, 1), **files}
    ),
    default_truncation=st.floats(0, 1),
    examples=st.lists(lines, max_size=3).map(tuple),
    attention=st.lists(st.integers(1, 4096), max_size=3, unique=True).map(
        lambda sizes: tuple(AttentionMap(f"attention_{size}", size) for size in sorted(sizes))
    ),
)


@settings(max_examples=50)
@given(manifests)
def test_manifest_survives_writing_and_reading(manifest: BundleManifest) -> None:
    assert parse_manifest(json.dumps(asdict(manifest)).encode(), "it") == manifest


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"^it is ") as caught:
        parse_manifest(data, "it")
    assert "\n" not in str(caught.value)


@settings(max_examples=50)
@given(st.data())
def test_any_value_in_place_of_a_right_one_is_refused_or_fits(data: st.DataObject) -> None:
    content = asdict(data.draw(manifests))
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(json_values)
    try:
        manifest = parse_manifest(json.dumps(content).encode(), "it")
    except BundleError as error:
        assert "\n" not in str(error)
    else:
        assert parse_manifest(json.dumps(asdict(manifest)).encode(), "it") == manifest


def test_manifest_on_disk_is_as_the_design_has_it(bundle: Path) -> None:
    content = json.loads((bundle / "bundle.json").read_text())
    assert content["schema_version"] == 1
    assert content["stages"] == [
        {"output": "image_16", "resolution": 16},
        {"output": "image_32", "resolution": 32},
    ]
    assert content["text_encoder"]["folder"] is None
    assert sorted(content["files"]) == ["MODEL_CARD.md", "generator.onnx", "samples.webp"]
    assert "attention" not in content, "an older CreativeAI would not read it"
    manifest = read_bundle(bundle).manifest
    assert (manifest.resolution, manifest.attention) == (32, ())


def test_bundle_with_attention_is_too_new_for_those_that_know_none(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path, resolution=64, num_stages=3, attends=True)
    content = json.loads((bundle / "bundle.json").read_text())
    assert content["schema_version"] == 2
    assert content["attention"] == [
        {"output": "attention_16", "resolution": 16},
        {"output": "attention_32", "resolution": 32},
    ]
    assert read_bundle(bundle).manifest.attention == (
        AttentionMap("attention_16", 16),
        AttentionMap("attention_32", 32),
    )


def _set(*path: str | int, to: Any) -> Any:
    def edit(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = to

    return edit


def _drop(name: str) -> Any:
    return lambda content: content.pop(name)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_drop("noise_dim"), "noise_dim is missing"),
        (_set("colour", to=1), "colour is unknown"),
        (_set("dataset", "colour", to=1), r"dataset\.colour is unknown"),
        (_set("noise_dim", to="128"), "noise_dim must be a whole number"),
        (_set("noise_dim", to=True), "noise_dim must be a whole number"),
        (_set("noise_dim", to=0), "noise_dim must be 1 to 65536"),
        (_set("noise_dim", to=1.5), "noise_dim must be a whole number"),
        (_set("title", to=None), "title must be text"),
        (_set("title", to="two\nlines"), "title must be one line"),
        (_set("name", to="../birds"), "name is '../birds': it must be lower-case"),
        (_set("stages", to=[]), "stages must grow"),
        (_set("stages", to={}), "stages must be a list"),
        (_set("stages", 0, "resolution", to=32), "stages must grow in resolution"),
        (_set("stages", 0, "resolution", to=-1), r"stages\[0\]\.resolution must be 1 to 4096"),
        (_set("text_encoder", "digest", to="abc"), r"text_encoder\.digest must be a SHA-256"),
        (_set("text_encoder", "folder", to="/etc"), "folder must be 'text' or null"),
        (_set("text_encoder", "folder", to="text"), r"files has no text/encoder\.json"),
        (_set("default_truncation", to=1.1), "default_truncation must be 0 to 1"),
        (_set("training", "seconds", to=-1), r"training\.seconds must be 0 to"),
        (_set("training", "seconds", to=10**400), "too large"),
        (_set("metrics", to=[]), "metrics must be an object"),
        (_set("examples", to="a bird"), "examples must be a list"),
        (_set("examples", to=["a bird", ""]), r"examples\[1\] must be one line"),
        (_drop("files"), "files is missing"),
        (_set("files", to={}), r"files has no generator\.onnx"),
        (_set("files", "generator.onnx", "size", to=-1), r"files\.generator\.onnx\.size must be 0 to"),
        (_set("attention", to={}), "attention must be a list"),
        (_set("attention", to=[{"output": "attention_16"}]), r"attention\[0\]\.resolution is missing"),
        (
            _set("attention", to=[{"output": "", "resolution": 16}]),
            r"attention\[0\]\.output must be one line",
        ),
        (
            _set("attention", to=[{"output": "a", "resolution": 0}]),
            r"attention\[0\]\.resolution must be 1 to",
        ),
        (_set("attention", to=[{"output": "a", "resolution": 8}]), "attention needs schema_version 2"),
        (
            _set("attention", to=[{"output": "a", "resolution": 8}, {"output": "b", "resolution": 8}]),
            r"attention must grow in resolution, but its maps have \[8, 8\]",
        ),
        (_set("schema_version", to=0), "schema_version must be 1 to 4"),
        (_set("schema_version", to="1"), "schema_version must be a whole number"),
        (_set("schema_version", to=5), r"newer CreativeAI \(schema version 5.*pip install -U"),
    ],
)
def test_wrong_value_is_named(bundle: Path, change_manifest: Any, edit: Any, message: str) -> None:
    change_manifest(edit)
    with pytest.raises(BundleError, match=message) as caught:
        read_bundle(bundle)
    assert str(bundle / "bundle.json") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"a": 01}',
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="it is damaged: it is not JSON"):
        parse_manifest(text.encode(), "it")


@pytest.mark.parametrize("text", ["null", "3", "[]", '"bundle"', "{}"])
def test_json_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="it is not right"):
        parse_manifest(text.encode(), "it")


@pytest.mark.parametrize(
    "name",
    [
        "../generator.onnx",
        "a/../../b",
        "/etc/passwd",
        "..",
        "C:\\windows",
        "c:autoexec",
        "a\\b",
        "a\0b",
        "",
        ".",
        "./a",
        "a//b",
        "a/",
        "bundle.json",
    ],
)
def test_file_name_that_could_lead_out_is_refused(bundle: Path, change_manifest: Any, name: str) -> None:
    with pytest.raises(ValueError):
        check_file_name(name)
    change_manifest(_set("files", name, to={"sha256": "0" * 64, "size": 1}))
    with pytest.raises(BundleError, match=r"leads out of the bundle|can't be the name"):
        read_bundle(bundle)


def test_unknown_values_need_a_newer_reader(tmp_path: Path) -> None:
    content = json.loads((make_tiny_bundle(tmp_path) / "bundle.json").read_text())
    for part, field in [("dataset", "num_train"), ("dataset", "digest"), ("training", "steps")]:
        changed = json.loads(json.dumps(content))
        changed[part][field] = None
        with pytest.raises(BundleError, match="a count or digest that is null needs schema_version 3"):
            parse_manifest(json.dumps(changed).encode(), "it")
        changed["schema_version"] = 3
        manifest = parse_manifest(json.dumps(changed).encode(), "it")
        assert getattr(getattr(manifest, part), field) is None


def test_writer_says_that_unknown_values_are_newer(tmp_path: Path) -> None:
    dataset = {"name": "x", "title": "x", "digest": None, "licence": "x", "description": ""}
    bundle = make_tiny_bundle(tmp_path, dataset=dataset | {"num_train": None, "num_val": None})
    content = json.loads((bundle / "bundle.json").read_text())
    assert (content["schema_version"], content["dataset"]["num_train"]) == (3, None)
    assert read_bundle(bundle).manifest.attention == ()

"""A matcher of a dataset's own: trained on its training photos when it is first needed, and kept."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creativeai.data import CaptionedImages
from creativeai.evaluation import load_judges as load_judges_module
from creativeai.evaluation import own_matcher as own_matcher_module
from creativeai.evaluation.feature_cache import photo_features
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.load_judges import load_judges
from creativeai.evaluation.matcher import Matcher, MatcherFacts, matcher_network
from creativeai.evaluation.own_matcher import kept_matcher, own_matcher
from creativeai.evaluation.retrieval import retrieval_accuracy
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS, load_efficientnet_lite
from creativeai.models.text_image_matcher import DescriptionLayout
from patches import PatchReader, patches
from tiny_training import quiet_console

LAYOUT = DescriptionLayout(thumbnail=2, grids=(1, 1, 1, 1))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_matcher_module, "_FEWEST_STEPS", 100)
    narrow = partial(MatcherFacts, hidden_dim=48, code_dim=32, word_dim=16)
    monkeypatch.setattr(own_matcher_module, "MatcherFacts", narrow)


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    return FeatureExtractor(load_efficientnet_lite(0), side=32, reference_side=32, layout=LAYOUT)


@pytest.fixture
def dataset(toybirds: Path, tmp_path: Path) -> CaptionedImages:
    plain = patches(toybirds)
    return CaptionedImages(tmp_path / "patches", plain.meta, plain.records, {32: plain.images(32)})


def no_training(*_: Any, **__: Any) -> None:
    raise AssertionError("trained again")


def test_it_finds_captions_of_photos_that_it_never_saw(
    dataset: CaptionedImages, extractor: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_matcher(dataset, extractor) is None
    matcher = own_matcher(dataset, extractor, quiet_console())
    assert matcher is not None and matcher.datasets == ("patches",) and len(matcher.digest) == 64
    test = dataset.indices("test")
    captions = [dataset.records[i].captions[0] for i in test]
    seen = photo_features(dataset, test, extractor, quiet_console()).descriptions.numpy()
    found = retrieval_accuracy(
        matcher.picture_codes(seen), matcher.text_codes(captions), test, captions, num_candidates=10
    )
    assert found.mean() > 0.25  # chance is a tenth

    monkeypatch.setattr(own_matcher_module, "train_matcher", no_training)
    again = own_matcher(dataset, extractor, quiet_console())
    assert again is not None and again.digest == matcher.digest
    np.testing.assert_array_equal(again.picture_codes(seen), matcher.picture_codes(seen))

    # A damaged file is as good as none.
    [file] = (dataset.path / ".features").glob("matcher-*.safetensors")
    file.write_bytes(b"x")
    assert kept_matcher(dataset, extractor) is None


def test_too_few_photos_give_no_matcher(toybirds: Path, extractor: FeatureExtractor) -> None:
    assert own_matcher(patches(toybirds, num_train=20), extractor, quiet_console()) is None


def shipped(monkeypatch: pytest.MonkeyPatch, *datasets: str) -> Matcher:
    """The shipped networks, which know these datasets."""
    facts = MatcherFacts("shipped", 2, 260, LAYOUT, (), datasets)
    network = matcher_network(facts, LAYOUT.length(FEATURE_CHANNELS))
    matcher = Matcher(network, facts, "5" * 64)
    monkeypatch.setattr(load_judges_module, "shipped_matcher", lambda: matcher)
    monkeypatch.setattr(load_judges_module, "shipped_picture_reader", PatchReader)
    return matcher


def test_shipped_matcher_judges_what_it_knows(
    dataset: CaptionedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    matcher = shipped(monkeypatch, "birds", "patches")
    monkeypatch.setattr(load_judges_module, "own_matcher", no_training)
    judges, notes = load_judges(dataset, quiet_console())
    assert judges.matcher is matcher and notes == []
    assert judges.extractor.side == 260 and judges.digests()["matcher"] == "5" * 64


def test_another_dataset_gets_its_own_and_it_is_told(
    dataset: CaptionedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(monkeypatch, "birds", "flowers")
    own = Matcher(shipped(monkeypatch, "birds").network, shipped(monkeypatch).facts, "6" * 64)
    shipped(monkeypatch, "birds", "flowers")
    monkeypatch.setattr(load_judges_module, "own_matcher", lambda *_: own)
    judges, [note] = load_judges(dataset, quiet_console())
    assert judges.matcher is own
    assert "a matcher trained on patches (SHA-256 666666666666)" in note and "only birds and flowers" in note
    monkeypatch.setattr(load_judges_module, "own_matcher", lambda *_: None)
    judges, [note] = load_judges(dataset, quiet_console())
    assert judges.matcher is None and "too few training photos" in note


def test_training_waits_for_no_matcher(dataset: CaptionedImages, monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = shipped(monkeypatch, "birds")
    monkeypatch.setattr(load_judges_module, "own_matcher", no_training)
    judges, [note] = load_judges(dataset, quiet_console(), trains_matcher=False)
    assert judges.matcher is matcher and "creativeai evaluate trains one for it" in note

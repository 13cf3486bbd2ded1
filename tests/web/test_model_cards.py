import json
from typing import Any

from plotly.utils import PlotlyJSONEncoder

from creativeai.web.model_cards import model_cards
from web.standin import MODELS


def shown(models: list[dict[str, Any]], chosen: str | None) -> list[str]:
    """Each card as the JSON the browser gets."""
    return [
        json.dumps(card, cls=PlotlyJSONEncoder, ensure_ascii=False) for card in model_cards(models, chosen)
    ]


def test_card_tells_what_the_model_is() -> None:
    birds, toys = shown(MODELS, "birds")
    for fact in [
        "Birds",
        "Draws birds.",
        "projected_gan / compact",
        "Birds 525, 1,834 pictures",
        "CC0",
        "128 × 128",
    ]:
        assert fact in birds
    assert "41.3" in birds and "22.0%" in birds
    assert "api/models/birds/samples" in birds
    assert "gan_cls / debug" in toys


def test_one_is_in_use_and_the_other_can_be_chosen() -> None:
    birds, toys = shown(MODELS, "birds")
    assert "In use" in birds
    assert "Use Toy birds" in toys


def test_single_model_leaves_nothing_to_choose() -> None:
    [birds] = shown(MODELS[:1], "birds")
    assert "In use" not in birds and "choose" not in birds


def test_metrics_that_are_no_numbers_are_left_out() -> None:
    metrics = {
        "kid": None,
        "best_step": 12000,
        "is_best": True,
        "note": "text",
        "per_colour": {"red": 1},
    }
    [card] = shown([MODELS[0] | {"metrics": metrics}], None)
    assert "best step" in card and "1.2e+04" in card
    for word in ["kid", "KID", "is best", "note", "colour"]:
        assert word not in card


def test_bare_model() -> None:
    [card] = shown([{"id": "mine"}], "mine")
    assert "mine" in card


def test_quality_is_told_in_words_with_real_photos_beside() -> None:
    birds, toys = shown(MODELS, "birds")
    for sentence in (
        "34 of 100 pictures could stand among the photos; of real photos, 82.",
        "Given 100 sentences, the right one is found for 22 of 100 pictures; of real photos, 88.",
        "41.3 (real pictures 0.2)",
    ):
        assert sentence in birds
    assert '"width": "34.0%"' in birds and '"left": "82.0%"' in birds
    assert "kid low" not in birds and "40" not in birds
    assert "How real" not in toys


def test_figures_of_a_former_measure_are_not_told_in_words() -> None:
    """Their text match had a ceiling by another protocol."""
    former = {"fd_lite0": 62.7, "text_match": 0.361, "text_match_of_photos": 0.507}
    [card] = shown([MODELS[0] | {"metrics": former}], None)
    assert "62.7" in card and "36.1%" in card
    assert "Given 100 sentences" not in card


def test_share_beyond_its_range_is_drawn_to_the_end() -> None:
    [card] = shown([MODELS[0] | {"metrics": {"precision": 1.5}}], None)
    assert '"width": "100.0%"' in card and "of real photos" not in card

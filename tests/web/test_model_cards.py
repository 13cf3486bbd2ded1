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
        "fd_lite0": None,
        "best_step": 12000,
        "is_best": True,
        "note": "text",
        "per_colour": {"red": 1},
    }
    [card] = shown([MODELS[0] | {"metrics": metrics}], None)
    assert "best step" in card and "1.2e+04" in card
    for word in ["fd_lite0", "Fréchet", "is best", "note", "colour"]:
        assert word not in card


def test_bare_model() -> None:
    [card] = shown([{"id": "mine"}], "mine")
    assert "mine" in card

"""What each model is and was trained on, for the drawer beside the page."""

from typing import Any

from dash import html

from creativeai.web.quality import quality_in_words, shown_metrics


def model_cards(models: list[dict[str, Any]], chosen: str | None) -> list[html.Article]:
    """Return one card a model; with a single model there is nothing to choose and the card only tells.

    Args:
        models: Model objects as the REST API answers them.
        chosen: Id of the model in use.
    """
    return [_card(model, model["id"] == chosen, can_choose=len(models) > 1) for model in models]


def _card(model: dict[str, Any], is_chosen: bool, can_choose: bool) -> html.Article:
    dataset = model.get("dataset") or {}
    parts: list[Any] = [
        html.Img(
            src=f"api/models/{model['id']}/samples",
            alt=f"Pictures drawn by {_title(model)}",
            className="samples",
        ),
        html.H3(_title(model)),
        html.P(model.get("description") or "", className="card-description"),
        html.Dl(
            [html.Div([html.Dt(name), html.Dd(value)]) for name, value in _facts(model, dataset) if value]
        ),
    ]
    metrics = model.get("metrics") or {}
    parts += quality_in_words(metrics)
    if numbers := shown_metrics(metrics):
        parts.append(html.Dl(numbers, className="metrics"))
    if can_choose:
        parts.append(
            html.Button(
                "In use" if is_chosen else f"Use {_title(model)}",
                id={"type": "choose", "model": model["id"]},
                className="action primary",
                disabled=is_chosen,
            )
        )
    return html.Article(parts, className="model-card" + (" is-chosen" if is_chosen else ""))


def _title(model: dict[str, Any]) -> str:
    return str(model.get("title") or model["id"])


def _facts(model: dict[str, Any], dataset: dict[str, Any]) -> list[tuple[str, str]]:
    recipe = " / ".join(part for part in (model.get("recipe"), model.get("preset")) if part)
    num_train = dataset.get("num_train")
    trained_on = str(dataset.get("title") or dataset.get("name") or "")
    if trained_on and isinstance(num_train, int):
        trained_on += f", {num_train:,} pictures"
    resolution = model.get("resolution")
    return [
        ("Recipe", recipe),
        ("Trained on", trained_on),
        ("Pictures' licence", str(dataset.get("licence") or "")),
        ("Size", f"{resolution} × {resolution} pixels" if resolution else ""),
    ]

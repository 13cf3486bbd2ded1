"""What each model is and was trained on, for the drawer beside the page."""

from typing import Any

from dash import html

# What people call the numbers our evaluation writes, and how they read.
METRICS = {
    "fd_lite0": (
        "Fréchet distance (Lite0)",
        "{:.1f}",
        "Between drawn and real pictures; lower is better. Not the FID",
    ),
    "fd_lite0_split_half": (
        "– of real pictures",
        "{:.1f}",
        "One half of the real pictures against the other",
    ),
    "text_match": (
        "Text match",
        "{:.1%}",
        "How often a picture's caption is picked out of 100; chance is 1%",
    ),
    "text_match_of_photos": ("– of real pictures", "{:.1%}", "How often it is picked for real pictures"),
    "diversity": ("Diversity", "{:.2f}", "How different pictures are; real ones are at 1"),
    "seed_diversity": ("– of one sentence", "{:.2f}", "How different the seeds of one sentence are"),
    "num_generated": ("Measured on", "{:,} pictures", ""),
    "num_real": ("– against", "{:,} real pictures", ""),
}


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
    if metrics := _metrics(model.get("metrics") or {}):
        parts.append(html.Dl(metrics, className="metrics"))
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


def _metrics(metrics: dict[str, Any]) -> list[html.Div]:
    """Return the numbers among a model's metrics, the known ones by their names and with what they mean."""
    shown = []
    # Known ones first, in the order above.
    for key in [*METRICS, *sorted(metrics.keys() - METRICS.keys())]:
        value = metrics.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        name, form, meaning = METRICS.get(key, (key.replace("_", " "), "{:.4g}", ""))
        shown.append(html.Div([html.Dt(name), html.Dd(form.format(value))], title=meaning))
    return shown

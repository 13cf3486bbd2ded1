"""The model card: what a bundle is, was trained on, and scores, for people."""

from collections.abc import Mapping
from typing import Any

from creativeai.bundles.figure_kinds import FIGURE_KINDS, figure_text

__all__ = ["model_card"]

_FORMER_METRICS = (
    ("fd_lite0", "fd_lite0 to the photos (lower is better; not the FID)", "{:.1f}"),
    ("fd_lite0_split_half", "fd_lite0 of one half of the photos against the other", "{:.1f}"),
    ("text_match", "text match: right one of 100 captions retrieved (chance 1%)", "{:.1%}"),
    ("text_match_of_photos", "the same for the real photos", "{:.1%}"),
    ("diversity", "diversity of the pictures / of the photos", "{:.2f}"),
    ("seed_diversity", "diversity among seeds of one sentence / of the photos", "{:.2f}"),
)


def model_card(fields: Mapping[str, Any]) -> str:
    """Markdown from the fields of a bundle's manifest."""
    dataset, training, metrics = fields["dataset"], fields["training"], fields["metrics"]
    settings = [f"| {name} | {value} |" for name, value in _flat(training["hyperparameters"])]
    examples = [f"{number}. {text}" for number, text in enumerate(fields["examples"], 1)]
    return "\n".join(
        [
            f"# {fields['title']}",
            "",
            fields["description"],
            "",
            "![samples](samples.webp)",
            "",
            "Each row of the sample grid is one of these sentences, each column a seed; none was picked:",
            "",
            *examples,
            "",
            "## Model",
            "",
            f"Recipe `{fields['recipe']}`, preset `{fields['preset']}`, "
            f"{_output(fields)}, text encoder `{fields['text_encoder']['name']}`, "
            f"default truncation {fields['default_truncation']}.",
            "",
            "## Training data",
            "",
            *_data(dataset),
            "",
            "## Training",
            "",
            _trained(training),
            "",
            "| setting | value |",
            "|---|---|",
            *settings,
            "",
            "## Measured at export",
            "",
            *_measured(metrics),
            "",
        ]
    )


def _data(dataset: Mapping[str, Any]) -> list[str]:
    told = f"{dataset['title']} (`{dataset['name']}`)"
    if dataset["num_train"] is not None:
        told += (
            f", {dataset['num_train']} pictures to train on, "
            f"{dataset['num_val']} held out by a stable hash of the file name"
        )
    lines = [f"{told}; licence: {dataset['licence']}.", "", dataset["description"]]
    if dataset["digest"] is not None:
        lines += ["", f"SHA-256 of the prepared dataset: `{dataset['digest']}`."]
    return lines


def _trained(training: Mapping[str, Any]) -> str:
    if training["steps"] is None:
        return "By its authors, not here: steps, pictures seen and time are unknown."
    return f"{_steps(training)}, {training['images_seen']} pictures seen, {_hours(training)}."


def _measured(metrics: Mapping[str, Any]) -> list[str]:
    names = [name for name in FIGURE_KINDS if name in metrics]
    if not names or "fd_lite0" in metrics:
        return _formerly_measured(metrics)
    rows = [
        f"| {FIGURE_KINDS[name].title} | {figure_text(name, metrics[name])} | {_interval(name, metrics)} | "
        f"{_of_photos(name, metrics)} | {FIGURE_KINDS[name].meaning} |"
        for name in names
    ]
    return [
        f"On {metrics.get('num_generated', 0)} pictures of {metrics.get('measured_on', 'test')} captions "
        f"against {metrics.get('num_real', 0)} {metrics.get('measured_on', 'test')} photos, truncation "
        f"{metrics.get('truncation', 1):g}. Beside each figure stands what real photos have by the same.",
        "",
        *_in_words(metrics),
        "| figure | model | 95% interval | real photos | what it says |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _in_words(metrics: Mapping[str, Any]) -> list[str]:
    """How real and how obedient the pictures are, in sentences."""
    lines = []
    if "kid" in metrics:
        lines += [
            f"How real: a KID of {figure_text('kid', metrics['kid'])} where other real photos have "
            f"{_of_photos('kid', metrics) or 'none measured'}; the lower, the more alike to photos.",
            "",
        ]
    if "text_match" in metrics:
        lines += [
            "How well it follows the sentence: for "
            f"{figure_text('text_match', metrics['text_match'])} of its pictures the right one of 100 "
            "captions is found, for "
            f"{_of_photos('text_match', metrics) or 'none'} of the real photos.",
            "",
        ]
    return lines


def _interval(name: str, metrics: Mapping[str, Any]) -> str:
    if f"{name}_low" in metrics and f"{name}_high" in metrics:
        return " to ".join(figure_text(name, metrics[f"{name}_{end}"]) for end in ("low", "high"))
    return f"± {figure_text(name, metrics[f'{name}_error'])}" if f"{name}_error" in metrics else ""


def _of_photos(name: str, metrics: Mapping[str, Any]) -> str:
    return figure_text(name, metrics[f"{name}_of_photos"]) if f"{name}_of_photos" in metrics else ""


def _formerly_measured(metrics: Mapping[str, Any]) -> list[str]:
    """What bundles that were exported before there were evaluation cards have."""
    rows = [
        f"| {label} | {form.format(metrics[key])} |" for key, label, form in _FORMER_METRICS if key in metrics
    ]
    if not rows:
        return ["Nothing."]
    measured_on = metrics.get("measured_on", "held-out")
    return [
        f"On {metrics.get('num_generated', 0)} pictures of {measured_on} captions against "
        f"{metrics.get('num_real', 0)} {measured_on} photos, truncation 1:",
        "",
        "| figure | value |",
        "|---|---|",
        *rows,
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Settings by name, those of a group as `group.name`."""
    rows: list[tuple[str, Any]] = []
    for name, value in sorted(values.items()):
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(prefix + name, value)]
    return rows


def _steps(training: Mapping[str, Any]) -> str:
    earlier = training["earlier_steps"]
    told = (
        f", {earlier} of them in runs that this one was started from, with other settings" if earlier else ""
    )
    return f"{training['steps']} steps{told}"


def _hours(training: Mapping[str, Any]) -> str:
    told = f"{training['seconds'] / 3600:.2f} hours by the clock"
    if training["cpu_seconds"] is not None:
        told += f", {training['cpu_seconds'] / 3600:.2f} hours of processor time"
    return told


def _output(fields: Mapping[str, Any]) -> str:
    """What the generator gives: its pictures' size, its stages if there are several, its attention maps."""
    *coarse, last = [stage["resolution"] for stage in fields["stages"]]
    maps = [map["resolution"] for map in fields.get("attention", ())]
    parts = [f"{last} pixels"]
    if coarse:
        parts.append(f"in stages of {', '.join(map(str, coarse))} and {last}")
    if maps:
        parts.append(f"with attention maps of {' and '.join(map(str, maps))}")
    return " ".join(parts)

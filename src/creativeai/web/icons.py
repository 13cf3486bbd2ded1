"""Icons, drawn in assets/icons.css."""

from dash import html


def icon(name: str) -> html.Span:
    """Return an icon by its name in assets/icons.css, invisible to screen readers."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})

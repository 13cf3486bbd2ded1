"""What stands on the page; how it looks is in assets/, what it does in callbacks.py and assets/*.js."""

import dash_mantine_components as dmc
from dash import dcc, html

from creativeai.web.dialogs import lightbox, models_drawer
from creativeai.web.icons import icon

SET_SIZES = (8, 12, 16, 24)
MAX_SEED = 2**32 - 1

# Kingfisher: the page's own colour in Mantine's ten shades.
KINGFISHER = [
    "#e3f7f5",
    "#c8eeea",
    "#95ddd6",
    "#5ecbc1",
    "#36bcb1",
    "#1aa79c",
    "#0b8d85",
    "#0a716c",
    "#085a56",
    "#06413f",
]
THEME = {
    "fontFamily": "var(--sans)",
    "headings": {"fontFamily": "var(--serif)", "fontWeight": "450"},
    "colors": {"kingfisher": KINGFISHER},
    "primaryColor": "kingfisher",
    "primaryShade": {"light": 7, "dark": 4},
    "autoContrast": True,
    "defaultRadius": "md",
    "cursorType": "pointer",
    "respectReducedMotion": True,
}


def page_layout() -> dmc.MantineProvider:
    """Return the whole page, with nothing in it that needs the API to answer first."""
    return dmc.MantineProvider(
        [
            # The models the API has; chosen is the id of the one in use.
            dcc.Store(id="models"),
            dcc.Store(id="chosen"),
            # Sentences of this visit with their thumbnails; the browser keeps them until the tab is closed.
            dcc.Store(id="history", storage_type="session"),
            html.Div(
                [
                    html.A("Skip to the pictures", href="#gallery", className="skip"),
                    _header(),
                    html.Main(
                        [_sentence(), _dock(), _fine_settings(), _gallery(), _comparison(), _history()]
                    ),
                    _footer(),
                    html.Div(id="announcer", role="status", className="unseen"),
                ],
                id="shell",
            ),
            models_drawer(),
            lightbox(),
        ],
        theme=THEME,
        defaultColorScheme="auto",
    )


def _header() -> html.Header:
    return html.Header(
        [
            html.A(
                [html.Span(className="logo", **{"aria-hidden": "true"}), html.Span("CreativeAI")],
                href="./",
                className="wordmark",
                title="Start afresh",
            ),
            html.Div(
                [
                    html.Button(
                        [icon("compare"), html.Span("Compare")],
                        id="compare",
                        className="pill",
                        title="Draw the same sentence and seeds with several models",
                        **{"aria-pressed": "false"},
                    ),
                    html.Button(
                        [
                            html.Span("Model", className="eyebrow"),
                            html.Span("…", id="chosen-title"),
                            icon("chevron"),
                        ],
                        id="open-models",
                        className="pill",
                        **{"aria-haspopup": "dialog"},
                    ),
                    dmc.ColorSchemeToggle(
                        lightIcon=icon("sun"),
                        darkIcon=icon("moon"),
                        variant="transparent",
                        size="lg",
                        className="scheme-toggle",
                        **{"aria-label": "Switch between light and dark"},
                    ),
                ],
                className="header-side",
            ),
        ]
    )


def _sentence() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    # Same words, same type, behind the text: carries the marks and gives the box its height.
                    html.Div(id="mirror", **{"aria-hidden": "true"}),
                    dmc.Textarea(
                        id="text",
                        value="",
                        label="Describe a picture",
                        placeholder="What would you like to see?",
                        variant="unstyled",
                        spellCheck=False,
                        classNames={
                            "root": "sentence-root",
                            "label": "sentence-label",
                            "input": "sentence-input",
                        },
                    ),
                ],
                className="sentence",
            ),
            html.Div(className="rule", **{"aria-hidden": "true"}),
            html.Div(id="note", role="status", **{"aria-live": "polite"}),
            html.Div(
                [
                    html.H2("Try one of these", className="eyebrow", id="examples-title"),
                    html.Div(id="examples", role="group", **{"aria-labelledby": "examples-title"}),
                    html.Figure(id="samples"),
                ],
                className="examples-section",
            ),
        ],
        className="sentence-section",
        **{"aria-label": "Sentence"},
    )


def _dock() -> html.Section:
    return html.Section(
        [
            dmc.Tooltip(
                dmc.Button(
                    "Surprise me",
                    id="surprise",
                    variant="subtle",
                    leftSection=icon("spark"),
                    className="surprise",
                ),
                label="One of the model's example sentences, with a new seed",
            ),
            html.Div(
                [
                    html.Label(
                        "Seed", htmlFor="seed", title="The same sentence and seed give the same picture"
                    ),
                    dmc.NumberInput(
                        id="seed",
                        value=0,
                        min=0,
                        max=MAX_SEED,
                        allowDecimal=False,
                        allowNegative=False,
                        clampBehavior="strict",
                        hideControls=True,
                        variant="unstyled",
                        classNames={"input": "seed-input"},
                    ),
                    dmc.Tooltip(
                        dmc.ActionIcon(
                            icon("dice"), id="dice", variant="subtle", size="lg", **{"aria-label": "New seed"}
                        ),
                        label="New seed: other pictures for this sentence",
                    ),
                ],
                className="control seed",
            ),
        ],
        className="dock",
        **{"aria-label": "Seed"},
    )


def _fine_settings() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.Label(
                        "Variety",
                        id="variety-label",
                        title="Low: the most typical pictures. High: the most different.",
                    ),
                    dmc.Slider(
                        id="variety",
                        value=1,
                        min=0,
                        max=1,
                        step=0.05,
                        precision=2,
                        size="sm",
                        updatemode="drag",
                        label=None,
                        thumbLabel="Variety",
                        className="variety-slider",
                    ),
                    html.Output("1.00", id="variety-value", htmlFor="variety"),
                ],
                className="control variety",
            ),
            html.Div(
                [
                    dmc.SegmentedControl(
                        id="set-size",
                        data=[str(size) for size in SET_SIZES],
                        value="12",
                        size="sm",
                        **{"aria-label": "Pictures in a larger set"},
                    ),
                    dmc.Button("Draw 12", id="draw", className="draw"),
                ],
                className="control draw-set",
            ),
        ],
        className="fine",
        **{"aria-label": "Variety and larger sets"},
    )


def _gallery() -> html.Section:
    return html.Section(
        [
            html.Div(
                [html.Span(id="gallery-note"), html.Span(id="timing")],
                className="gallery-head",
            ),
            html.Div(id="gallery", tabIndex="-1"),
        ],
        className="gallery-section",
        **{"aria-label": "Pictures"},
    )


def _comparison() -> html.Section:
    """Return where assets/compare.js puts a row a model, in place of the gallery."""
    return html.Section(
        [
            html.Div(
                [html.Span("Models", className="eyebrow"), html.Div(id="compare-models")],
                role="group",
                className="compare-choice",
                **{"aria-label": "Models to compare"},
            ),
            html.Div(id="compare-seeds", **{"aria-hidden": "true"}),
            html.Div(id="compare-rows"),
        ],
        className="compare-section",
        **{"aria-label": "Comparison"},
    )


def _history() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("This visit", className="eyebrow"),
                    dmc.Button(
                        "Clear", id="clear-history", variant="subtle", size="compact-sm", color="gray"
                    ),
                ],
                className="history-head",
            ),
            html.Ol(id="history-list"),
        ],
        id="history-section",
        **{"aria-label": "This visit"},
    )


def _footer() -> html.Footer:
    return html.Footer(
        [
            html.Span("Drawn on this server by a small generative network."),
            html.Span("The same sentence, seed and variety always give the same picture."),
        ]
    )

"""What opens over the page: the models, and one picture large."""

import dash_mantine_components as dmc
from dash import html

from creativeai.web.icons import icon

MORE_LIKE_THIS = (
    "The same sentence: this picture first, then new seeds with less variety, so that they stay closer to "
    "what the model finds typical"
)


def models_drawer() -> dmc.Drawer:
    """Return the panel that tells of the models; callbacks.py fills it."""
    return dmc.Drawer(
        html.Div(id="model-cards"),
        id="models-drawer",
        title="Models",
        position="right",
        size="min(30rem, 100vw)",
        padding="xl",
        closeButtonProps={"aria-label": "Close"},
        classNames={"content": "models-drawer", "title": "drawer-title"},
    )


def _picture() -> html.Div:
    """Return the large picture, under a coarser stage or the attention to a word where one is chosen."""
    return html.Div(
        [
            html.Img(id="large", alt=""),
            html.Img(id="coarse", alt="", hidden=True),
            html.Canvas(id="heat", hidden=True, **{"aria-hidden": "true"}),
            dmc.ActionIcon(
                icon("left"), id="previous", className="step", **{"aria-label": "Previous picture"}
            ),
            dmc.ActionIcon(icon("right"), id="next", className="step", **{"aria-label": "Next picture"}),
        ],
        className="stage",
    )


def _attention() -> html.Div:
    """Return what stands below the words of a model that attends to them."""
    return html.Div(
        [
            html.P(id="attention-note", role="status"),
            html.Div(
                [
                    html.Span("Attention map", id="maps-label"),
                    html.Div(id="maps", role="group", **{"aria-labelledby": "maps-label"}),
                ],
                className="maps",
                hidden=True,
            ),
        ]
    )


def lightbox() -> dmc.Modal:
    """Return the window with one picture large; assets/lightbox.js and inside.js fill it."""
    return dmc.Modal(
        html.Div(
            [
                html.Div([_picture(), html.Div(id="stages", role="group", **{"aria-label": "Stages"})]),
                html.Div(
                    [
                        html.Div(
                            [
                                html.P(id="large-text", className="large-text"),
                                html.P(id="words", className="large-text"),
                                _attention(),
                            ]
                        ),
                        html.Dl(
                            [
                                html.Div([html.Dt("Seed"), html.Dd(id="large-seed")]),
                                html.Div([html.Dt("Variety"), html.Dd(id="large-variety")]),
                                html.Div([html.Dt("Model"), html.Dd(id="large-model")]),
                            ]
                        ),
                        html.Div(
                            [
                                html.A(
                                    [icon("download"), "Download PNG"],
                                    id="download",
                                    className="action primary",
                                    href="#",
                                ),
                                html.Button(
                                    [icon("link"), html.Span("Copy link", id="copy-text")],
                                    id="copy",
                                    className="action",
                                ),
                                dmc.Tooltip(
                                    html.Button(
                                        [icon("more"), "More like this"], id="more", className="action"
                                    ),
                                    label=MORE_LIKE_THIS,
                                    position="bottom",
                                    multiline=True,
                                    w=260,
                                ),
                            ],
                            className="actions",
                        ),
                    ],
                    className="about",
                ),
            ],
            id="picture-inside",
            className="lightbox-body",
        ),
        id="lightbox",
        title="Picture",
        size="auto",
        centered=True,
        padding=0,
        withCloseButton=True,
        closeButtonProps={"aria-label": "Close", "size": "lg"},
        overlayProps={"backgroundOpacity": 0.72, "blur": 10},
        transitionProps={"transition": "fade", "duration": 140},
        classNames={"content": "lightbox", "header": "lightbox-header", "body": "lightbox-pane"},
    )

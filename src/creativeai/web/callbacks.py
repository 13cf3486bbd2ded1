"""What Dash connects: the page's controls to the functions of assets/*.js, and the model cards to the models.

Typing, drawing and the gallery are in the browser (assets/page.js): a keystroke makes one small request and
touches only the pictures. The script sets components through `dash_clientside.set_props`.
"""

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, html

from creativeai.web.model_cards import model_cards


def add_callbacks(app: Dash) -> None:
    """Connect the page's components."""

    @app.callback(Output("model-cards", "children"), Input("models", "data"), Input("chosen", "data"))
    def show_models(models: list[dict[str, Any]] | None, chosen: str | None) -> list[html.Article]:
        return model_cards(models or [], chosen)

    def run(function: str, *inputs: Input | State, at_start: bool = False) -> None:
        """Call a function of assets/page.js; it sets what it changes itself, so there is no output."""
        app.clientside_callback(
            ClientsideFunction("page", function), *inputs, prevent_initial_call=not at_start
        )

    run("start", Input("shell", "id"), at_start=True)
    run(
        "changed",
        Input("text", "value"),
        Input("chosen", "data"),
        Input("seed", "value"),
        Input("variety", "value"),
    )
    run("setSizeChanged", Input("set-size", "value"))
    run("drawSet", Input("draw", "n_clicks"))
    run("newSeed", Input("dice", "n_clicks"))
    run("surprise", Input("surprise", "n_clicks"))
    run("showHistory", Input("history", "data"), at_start=True)
    run("clearHistory", Input("clear-history", "n_clicks"))
    run("openModels", Input("open-models", "n_clicks"))
    run("toggleCompare", Input("compare", "n_clicks"))
    run("choose", Input({"type": "choose", "model": ALL}, "n_clicks"))
    run("step", Input("previous", "n_clicks"), Input("next", "n_clicks"))
    run("copyLink", Input("copy", "n_clicks"))
    run("moreLikeThis", Input("more", "n_clicks"))

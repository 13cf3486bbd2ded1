"""The Dash app: layout, callbacks and the routes its script calls."""

import base64
import hashlib

import dash
from flask import Flask, Response

from creativeai.web.callbacks import add_callbacks
from creativeai.web.client import ApiClient
from creativeai.web.layout import page_layout
from creativeai.web.routes import picture_routes

# Before anything is drawn: the colours chosen last time (Mantine's own key), else the system's.
_COLOURS_SCRIPT = """
      (function () {
        var chosen = localStorage.getItem("mantine-color-scheme-value");
        var system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
        var scheme = chosen === "dark" || chosen === "light" ? chosen : system;
        document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
      })();
    """

INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="description" content="A sentence in, a picture out.">
    <meta name="color-scheme" content="light dark">
    <title>{%title%}</title>
    <link rel="icon" href="assets/logo.svg" type="image/svg+xml">
    <link rel="preload" href="assets/fonts/fraunces.woff2" as="font" type="font/woff2" crossorigin>
    <script>{%colours%}</script>
    {%css%}
  </head>
  <body>
    <noscript>This page draws with JavaScript; please turn it on.</noscript>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
""".replace("{%colours%}", _COLOURS_SCRIPT)


def create_page(api_url: str, api_key: str | None = None) -> dash.Dash:
    """Return the page as a Dash app; `.server` is its WSGI application.

    It starts and shows itself whether the API is there or not, and carries on when it comes back.

    Args:
        api_url: Where the REST API is, like `http://127.0.0.1:8801`.
        api_key: What the API asks for, if it does; it stays on the server.
    """
    server = Flask(__name__, static_folder=None)
    # Not JSON: pictures are compressed already, and trying again would take longer than drawing them.
    server.config["COMPRESS_MIMETYPES"] = ["text/html", "text/css", "text/javascript", "image/svg+xml"]
    app = dash.Dash(
        __name__,
        server=server,
        title="CreativeAI: a sentence in, a picture out",
        update_title="",
        index_string=INDEX,
        serve_locally=True,
        compress=True,
    )
    app.layout = page_layout()
    add_callbacks(app)
    server.register_blueprint(picture_routes(ApiClient(api_url, api_key)))

    headers = _security_headers(app)

    @server.after_request
    def secure(response: Response) -> Response:
        response.headers.update(headers)
        return response

    return app


def _security_headers(app: dash.Dash) -> dict[str, str]:
    """Everything comes from the page's own address; of inline scripts only those that are known here run."""
    scripts = [*app.csp_hashes(), _script_hash(_COLOURS_SCRIPT)]
    policy = [
        "default-src 'self'",
        f"script-src 'self' {' '.join(scripts)}",
        "style-src 'self' 'unsafe-inline'",  # Mantine sets its colours so
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _script_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"

"""The page: a Dash app over the REST API, which is its only way to a model."""

from creativeai.web.page import create_page

__all__ = ["create_page"]

"""The most that any request may ask for.

Apart from the engine, so that who reads them loads no ONNX Runtime.
"""

__all__ = ["MAX_NUM_PICTURES", "MAX_TEXT_LENGTH"]

MAX_TEXT_LENGTH = 1000
"""Characters of a text."""
MAX_NUM_PICTURES = 64

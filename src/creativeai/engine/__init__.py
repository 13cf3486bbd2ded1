"""Text to pictures with ONNX Runtime."""

from creativeai.engine.engine import Engine
from creativeai.engine.pictures import Picture, PictureRequest, seed_of
from creativeai.engine.validation import validate_request

__all__ = ["Engine", "Picture", "PictureRequest", "seed_of", "validate_request"]

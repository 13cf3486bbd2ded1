"""Words in; sentence vector, word vectors and mask out."""

from creativeai.text.encoder import TextEncoder, load_text_encoder
from creativeai.text.features import TextFeatures

__all__ = ["TextEncoder", "TextFeatures", "load_text_encoder"]

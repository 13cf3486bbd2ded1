"""CreativeAI: a sentence in, a picture out, by text-to-image GANs you train, compare and serve yourself."""

__version__ = "0.1.0"

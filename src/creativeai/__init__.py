"""CreativeAI: a sentence in, a picture out, by text-to-image GANs you train, compare and serve yourself."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from creativeai.engine.model import Model

__all__ = ["__version__", "list_models", "load"]

__version__ = "0.1.0"


def load(name: str | Path | None = None, num_threads: int = 1) -> "Model":
    """Load a model: `creativeai.load("birds").generate("a small red bird")`.

    Args:
        name: Name of a model (see `list_models`) or path of a bundle; None for the default model.
        num_threads: Pictures made at the same time.

    Raises:
        UnknownModelError: There is no such model.
        BundleError: The bundle is damaged.
    """
    # Not imported with the package, since ONNX Runtime takes longer than everything else.
    from creativeai.engine.model import load

    return load(name, num_threads)


def list_models() -> list[str]:
    """Names of the models known here, the default one first."""
    from creativeai.bundles import find_bundles

    return list(find_bundles())

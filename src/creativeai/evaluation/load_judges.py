"""The networks that judge a dataset's models, ready to look."""

from pathlib import Path

from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.evaluation.damsm_judge import load_damsm_judge
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.inception_judge import load_inception_judge
from creativeai.evaluation.judges import Judges
from creativeai.models.efficientnet_lite import load_efficientnet_lite

__all__ = ["load_judges"]


def load_judges(
    dataset: CaptionedImages,
    console: Console,
    inception: Path | None = None,
    damsm: Path | None = None,
    *,
    trains_matcher: bool = True,
) -> tuple[Judges, list[str]]:
    """Everybody who looks at the pictures of models of a dataset.

    Args:
        dataset: The dataset.
        console: Where progress goes.
        inception: The user's file of the Inception network of 2015.
        damsm: The user's folder of an exported DAMSM.
        trains_matcher: Whether to train a matcher for a dataset that the shipped one doesn't know.

    Returns:
        The judges, and what to keep in mind of them, a line each.

    Raises:
        EvaluationError: A file or folder that the user gave can't be used.
    """
    judges = Judges(
        extractor=FeatureExtractor(load_efficientnet_lite(2)),
        inception=None if inception is None else load_inception_judge(inception),
        damsm=None if damsm is None else load_damsm_judge(damsm),
    )
    return judges, []

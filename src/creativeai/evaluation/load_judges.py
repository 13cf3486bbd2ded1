"""The networks that judge a dataset's models, ready to look."""

from pathlib import Path

from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.evaluation.damsm_judge import load_damsm_judge
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.inception_judge import load_inception_judge
from creativeai.evaluation.judges import Judges
from creativeai.evaluation.matcher import Matcher, shipped_matcher
from creativeai.evaluation.own_matcher import kept_matcher, own_matcher
from creativeai.evaluation.picture_reader import shipped_picture_reader
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

    The shipped matcher judges the datasets that it knows. Another dataset gets one of its own, trained on its
    training photos and kept, or where nobody wants to wait for that the shipped one all the same.

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
        TrainingError: A shipped file is missing or damaged.
    """
    # What the user gave first: it may be wrong, and training a matcher takes minutes.
    by_inception = None if inception is None else load_inception_judge(inception)
    by_damsm = None if damsm is None else load_damsm_judge(damsm)
    shipped, reader = shipped_matcher(), shipped_picture_reader()
    extractor = FeatureExtractor(load_efficientnet_lite(2), layout=shipped.facts.layout)
    if dataset.name in shipped.datasets:
        return Judges(extractor, shipped, reader, by_inception, by_damsm), []
    known = " and ".join(shipped.datasets)
    find = own_matcher if trains_matcher else _kept
    matcher: Matcher | None = find(dataset, extractor, console)
    if matcher is not None:
        note = (
            f"text match is by a matcher trained on {dataset.name} (SHA-256 {matcher.digest[:12]}), since "
            f"the shipped one knows only {known}: it compares with figures of this dataset alone"
        )
    elif trains_matcher:
        note = f"{dataset.name} has too few training photos to train a matcher on: no text match"
    else:
        matcher = shipped
        note = (
            f"text match is by the shipped matcher, which knows {known} and not {dataset.name}; "
            "creativeai evaluate trains one for it"
        )
    return Judges(extractor, matcher, reader, by_inception, by_damsm), [note]


def _kept(dataset: CaptionedImages, extractor: FeatureExtractor, console: Console) -> Matcher | None:
    return kept_matcher(dataset, extractor)

"""The symmetric structured joint embedding (Reed et al. 2016, arXiv:1605.05395, section 3)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.models.layers.across_processes import gathered

__all__ = ["Compatibility", "joint_embedding_loss"]

Compatibility = Literal["class", "sample"]


def joint_embedding_loss(
    image_codes: Tensor,
    text_codes: Tensor,
    labels: Tensor,
    compatibility: Compatibility = "class",
    margin: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Hinge on what pictures and captions of other classes score above the right one, in both directions.

    With s = v . t, a picture v of class y costs mean_c max(0, margin + s(v, c) - s(v, y)) over the batch's
    classes c, where the right one itself costs nothing; likewise a caption t against the pictures. Where each
    class stands once in the batch, as the authors drew it, both forms of compatibility are the same.

    Args:
        image_codes: [B, D] vectors of the pictures; those of all processes are one batch.
        text_codes: [B, D] vectors of their captions.
        labels: int64 [B] classes.
        compatibility: `class` compares a picture with the mean caption of each class of the batch (the
            paper's expectation), `sample` with each caption by itself, leaving out those of its own class.
        margin: By which the right one should be ahead.

    Returns:
        Losses of choosing captions for pictures and pictures for captions.
    """
    with torch.autocast(image_codes.device.type, enabled=False):
        image_codes, text_codes = gathered(image_codes.float()), gathered(text_codes.float())
        labels = gathered(labels)
        if compatibility == "sample":
            scores = image_codes @ text_codes.T
            is_wrong = labels[:, None] != labels
            right = scores.diagonal()[:, None]
            return _hinge(scores, right, is_wrong, margin), _hinge(scores.T, right, is_wrong, margin)
        classes, own = labels.unique(return_inverse=True)
        member = F.one_hot(own, len(classes)).float()  # [B, C]
        share = member / member.sum(dim=0)
        losses = []
        for queries, candidates in ((image_codes, text_codes), (text_codes, image_codes)):
            scores = queries @ (share.T @ candidates).T
            right = scores.gather(1, own[:, None])
            losses.append(_hinge(scores, right, member == 0, margin))
        return losses[0], losses[1]


def _hinge(scores: Tensor, right: Tensor, is_wrong: Tensor, margin: float) -> Tensor:
    return (F.relu(margin + scores - right) * is_wrong).mean()

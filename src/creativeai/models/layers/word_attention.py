"""AttnGAN's attention of every place in a map over the caption's words (Xu et al. 2018, arXiv:1711.10485)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["WordAttention"]


class WordAttention(nn.Module):
    """Every place of a map looks at the words, projected to the map's channels.

    The published code masks position q of caption b by the mask of caption (b * Q + q) mod B (its issue 93);
    here every caption has its own mask.

    Args:
        map_channels: C of the map.
        word_dim: D of the word vectors.
    """

    def __init__(self, map_channels: int, word_dim: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(word_dim, map_channels, 1, bias=False)

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What each place sees of the words, and where it looks.

        Args:
            x: Map [B, C, h, w].
            words: [B, T, D].
            mask: [B, T], true where there is a word.

        Returns:
            The context [B, C, h, w] and the attention [B, T, h, w], which sums to 1 over T. For a caption
            without any word both are 0.
        """
        # Not called as a convolution, which refuses a batch without words.
        sources = F.linear(words, self.project.weight.flatten(1)).transpose(1, 2)  # [B, C, T]
        scores = torch.bmm(sources.transpose(1, 2), x.flatten(2))  # [B, T, h * w]
        present = mask.unsqueeze(2)
        # Not minus infinity, whose softmax over no word at all is NaN.
        scores = scores.masked_fill(~present, torch.finfo(scores.dtype).min)
        attention = scores.softmax(dim=1) * present
        context = torch.bmm(sources, attention)  # [B, C, h * w]
        size = x.shape[2:]
        return context.unflatten(2, size), attention.unflatten(2, size)

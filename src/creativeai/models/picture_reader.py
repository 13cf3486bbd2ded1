"""A classifier on frozen features: which kind of bird or flower is it, and which part has which colour?"""

from torch import Tensor, nn

from creativeai.models.layers.standardiser import Standardiser

__all__ = ["PictureReaderNetwork"]


class PictureReaderNetwork(nn.Module):
    """Class logits and, for each part, colour logits of pictures by their descriptions.

    Args:
        description_dim: I, length of a description (`models.text_image_matcher.describe_images`).
        num_classes: C, species and kinds of flower.
        num_parts: P, parts of birds and of flowers.
        num_colours: Q, colours a part may have.
        hidden_dim: Width of the hidden layer that all answers share.
        dropout: Dropped share of inputs and hidden units.
    """

    def __init__(
        self,
        description_dim: int,
        num_classes: int,
        num_parts: int,
        num_colours: int,
        hidden_dim: int = 512,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.standardise = Standardiser(description_dim)
        self.shared = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(description_dim, hidden_dim),
            nn.GELU(),
            nn.LayerNorm(hidden_dim),
            nn.Dropout(dropout),
        )
        self.to_class = nn.Linear(hidden_dim, num_classes)
        self.to_colours = nn.Linear(hidden_dim, num_parts * num_colours)
        self.num_colours = num_colours

    def forward(self, descriptions: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits [B, C] and colour logits [B, P, Q] of descriptions [B, I]."""
        hidden = self.shared(self.standardise(descriptions))
        return self.to_class(hidden), self.to_colours(hidden).unflatten(1, (-1, self.num_colours))

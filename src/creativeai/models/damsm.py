"""The networks of AttnGAN's deep attentional multimodal similarity model (Xu et al. 2017, arXiv:1711.10485).

A bidirectional LSTM gives vectors of words and sentence; a frozen picture network with two trained heads
gives vectors of regions and of the whole picture, in the same space. Names and shapes of the weights are
those of the published text and image encoders.
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.efficientnet_lite import FEATURE_CHANNELS, POOLED_CHANNELS, EfficientNetLite0

__all__ = ["DamsmImageHeads", "DamsmTextEncoder", "ImageTrunk", "Lite0Trunk", "VectorAdapter"]

_INIT_RANGE = 0.1


class ImageTrunk(Protocol):
    """A frozen picture network: a map of regions, and one vector for the whole picture."""

    region_channels: int
    global_channels: int

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map [B, C, h, w] and vector [B, P] of pictures [B, 3, R, R] in [-1, 1], with gradient to them."""


class DamsmTextEncoder(nn.Module):
    """Word and sentence vectors by a bidirectional LSTM of one layer.

    Args:
        num_words: Size of the vocabulary, 5450 in the published encoder of CUB's birds.
        embedding_dim: Length of the words' embeddings.
        dim: Length of the vectors, half of it from each direction.
        dropout: Dropped share of the embeddings in training.
    """

    def __init__(
        self, num_words: int, embedding_dim: int = 300, dim: int = 256, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.encoder = nn.Embedding(num_words, embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.rnn = nn.LSTM(embedding_dim, dim // 2, batch_first=True, bidirectional=True)
        nn.init.uniform_(self.encoder.weight, -_INIT_RANGE, _INIT_RANGE)

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of words and of sentences.

        Args:
            ids: int64 [B, T] words; what stands behind a caption's last word doesn't matter.
            lengths: int64 [B] number of words of each caption, at least 1.

        Returns:
            Words [B, T, D], zero behind the last one, and sentences [B, D].
        """
        x = self.dropout(self.encoder(ids))
        place = torch.arange(ids.shape[1], device=ids.device)[None]
        mask = place < lengths[:, None]
        # Each caption's words in reverse, the padding behind them as it is: the backward direction becomes a
        # forward one. Packed sequences would do the same, but want lengths on the CPU and aren't compiled.
        backwards = torch.where(mask, lengths[:, None] - 1 - place, place)
        forward_states = self._direction(x, "")
        backward_states = self._direction(_at(x, backwards), "_reverse")
        last = (lengths - 1)[:, None]
        sentence = torch.cat([_at(forward_states, last), _at(backward_states, last)], dim=2).squeeze(1)
        words = torch.cat([forward_states, _at(backward_states, backwards)], dim=2)
        return words * mask[:, :, None].to(words.dtype), sentence

    def _direction(self, x: Tensor, suffix: str) -> Tensor:
        """States [B, T, D / 2] of one direction of the LSTM."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [getattr(self.rnn, name + suffix) for name in names]
        start = x.new_zeros(1, x.shape[0], self.rnn.hidden_size)
        states: Tensor = torch.lstm(x, (start, start), weights, True, 1, 0.0, self.training, False, True)[0]
        return states


def _at(x: Tensor, places: Tensor) -> Tensor:
    """Rows [B, S, D] of x [B, T, D] at int64 places [B, S]."""
    return x.gather(1, places[:, :, None].expand(-1, -1, x.shape[2]))


class DamsmImageHeads(nn.Module):
    """What DAMSM trains on top of a frozen picture network.

    Args:
        region_channels: C of the trunk's map.
        global_channels: P of the trunk's vector.
        dim: Length of the vectors.
    """

    def __init__(self, region_channels: int, global_channels: int, dim: int = 256) -> None:
        super().__init__()
        self.emb_features = nn.Conv2d(region_channels, dim, 1, bias=False)
        self.emb_cnn_code = nn.Linear(global_channels, dim)
        for weight in (self.emb_features.weight, self.emb_cnn_code.weight):
            nn.init.uniform_(weight, -_INIT_RANGE, _INIT_RANGE)

    def forward(self, region_map: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Regions [B, D, h, w] and picture vectors [B, D] of a trunk's map [B, C, h, w] and vector [B, P]."""
        return self.emb_features(region_map), self.emb_cnn_code(vector)


class VectorAdapter(nn.Module):
    """Another encoder's word and sentence vectors, frozen, brought into the space of the picture's.

    Args:
        text_dim: Length of the encoder's vectors.
        dim: Length of DAMSM's.
    """

    def __init__(self, text_dim: int, dim: int = 256) -> None:
        super().__init__()
        self.words = nn.Linear(text_dim, dim)
        self.sentence = nn.Linear(text_dim, dim)

    def forward(self, words: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor]:
        """Words [B, T, D] and sentences [B, D] of words [B, T, E] and sentences [B, E]."""
        return self.words(words), self.sentence(sentence)


class Lite0Trunk(nn.Module):
    """EfficientNet-Lite0 as DAMSM's picture network: regions from its map of stride 16.

    Args:
        network: The frozen network.
        side: Side in pixels at which it sees the pictures, a multiple of 16; 272 gives the paper's 17 x 17
            regions.
    """

    region_channels = FEATURE_CHANNELS[2]
    global_channels = POOLED_CHANNELS

    def __init__(self, network: EfficientNetLite0, side: int) -> None:
        super().__init__()
        self.network = network
        self.side = side

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map [B, 112, side / 16, side / 16] and vector [B, 1280] of pictures [B, 3, R, R] in [-1, 1]."""
        if images.shape[-1] != self.side:
            shrinks = images.shape[-1] > self.side
            # Generated pictures come in half precision, which torch can't resize with antialiasing.
            images = F.interpolate(
                images.float(), size=(self.side, self.side), mode="bilinear", antialias=shrinks
            )
        features = self.network(images.contiguous(memory_format=torch.channels_last))
        return features[2], self.network.pool(features[3])

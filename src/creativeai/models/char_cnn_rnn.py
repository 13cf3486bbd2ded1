"""Reed's character CNN-RNN: a sentence vector read letter by letter.

Reed et al. 2016, "Learning Deep Representations of Fine-Grained Visual Descriptions" (arXiv:1605.05395), and
with the gated unit in "Generative Adversarial Text to Image Synthesis" (arXiv:1605.05396). Widths and strides
are those of the authors' published networks.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["NUM_CHARACTERS", "TEXT_LENGTH", "CharCnnRnn", "GatedUnit", "RectifiedUnit", "Recurrence"]

NUM_CHARACTERS = 70
"""Characters of the alphabet; their ids are 1 to 70, and 0 is the absence of one."""
TEXT_LENGTH = 201
"""Character places of a caption."""

Recurrence = Literal["gru", "rnn"]

_KERNEL = 4
_THRESHOLD = 1e-6


class GatedUnit(nn.Module):
    """Gated recurrence whose first step knows no earlier state, not even the biases of its weights."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.i2h, self.h2h = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.i2h_update, self.h2h_update = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.i2h_reset, self.h2h_reset = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states [B, S, D] of inputs [B, S, D]."""
        # The inputs' share of all steps at once: one product instead of S.
        candidates, updates, resets = self.i2h(x), self.i2h_update(x), self.i2h_reset(x)
        hidden = torch.tanh(candidates[:, 0])
        states = [hidden]
        for step in range(1, x.shape[1]):
            update = torch.sigmoid(updates[:, step] + self.h2h_update(hidden))
            reset = torch.sigmoid(resets[:, step] + self.h2h_reset(hidden))
            candidate = torch.tanh(candidates[:, step] + self.h2h(reset * hidden))
            hidden = update * candidate + (1 - update) * hidden
            states.append(hidden)
        return torch.stack(states, dim=1)


class RectifiedUnit(nn.Module):
    """Plain recurrence with ReLU; its first step, too, knows no earlier state."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.i2h, self.h2h = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states [B, S, D] of inputs [B, S, D]."""
        inputs = self.i2h(x)
        hidden = F.relu(inputs[:, 0])
        states = [hidden]
        for step in range(1, x.shape[1]):
            hidden = F.relu(inputs[:, step] + self.h2h(hidden))
            states.append(hidden)
        return torch.stack(states, dim=1)


class CharCnnRnn(nn.Module):
    """Three convolutions over the characters, a recurrence over what is left of them, the mean of its states.

    Args:
        recurrence: `gru` with 18 steps (the birds of 1605.05396), or `rnn` with a third pooling and 8 steps
            (its flowers, and all of 1605.05395).
        conv_channels: Width of the first two convolutions.
        hidden_dim: Width of the third convolution and of the recurrence: 512, in 1605.05395 256.
        out_dim: Length of the sentence vector.
    """

    def __init__(
        self,
        recurrence: Recurrence = "gru",
        conv_channels: tuple[int, int] = (384, 512),
        hidden_dim: int = 512,
        out_dim: int = 1024,
    ) -> None:
        super().__init__()
        first, second = conv_channels
        self.conv1 = nn.Conv1d(NUM_CHARACTERS, first, _KERNEL)
        self.conv2 = nn.Conv1d(first, second, _KERNEL)
        self.conv3 = nn.Conv1d(second, hidden_dim, _KERNEL)
        self.pools_thrice = recurrence == "rnn"
        self.rnn: nn.Module = RectifiedUnit(hidden_dim) if recurrence == "rnn" else GatedUnit(hidden_dim)
        self.projection = nn.Linear(hidden_dim, out_dim)
        one_hot = torch.cat([torch.zeros(1, NUM_CHARACTERS), torch.eye(NUM_CHARACTERS)])
        self.register_buffer("one_hot", one_hot, persistent=False)
        self.one_hot: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        """Sentence vectors [B, D], of any length, of character ids int64 [B, 201]; id 0 is a row of zeros."""
        x = F.embedding(ids, self.one_hot).transpose(1, 2)
        x = F.max_pool1d(F.threshold(self.conv1(x), _THRESHOLD, 0.0), 3, 3)
        x = F.max_pool1d(F.threshold(self.conv2(x), _THRESHOLD, 0.0), 3, 3)
        x = F.threshold(self.conv3(x), _THRESHOLD, 0.0)
        if self.pools_thrice:
            x = F.max_pool1d(x, 3, 2)
        projected: Tensor = self.projection(self.rnn(x.transpose(1, 2)).mean(dim=1))
        return projected

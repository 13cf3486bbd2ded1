"""DAMSM's text encoder as ONNX sees it: one LSTM operator for both directions.

torch's exporter would unroll the LSTM for captions of one length; the operator takes any.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.damsm import DamsmTextEncoder

__all__ = ["DamsmTextGraph"]

_FLOAT = 1  # TensorProto.FLOAT
_OPERATOR_VERSION = 18


class DamsmTextGraph(nn.Module):
    """Computes what the encoder does, the sentence brought to length 1. It can be exported, not run.

    Args:
        text: The encoder, whose weights are copied.
    """

    def __init__(self, text: DamsmTextEncoder) -> None:
        super().__init__()
        self.hidden_size = text.rnn.hidden_size
        weights = {name: value.detach().clone() for name, value in text.state_dict().items()}

        def both(name: str) -> Tensor:
            directions = (weights[f"rnn.{name}_l0"], weights[f"rnn.{name}_l0_reverse"])
            return torch.stack([_onnx_order(weight) for weight in directions])

        self.register_buffer("embedding", weights["encoder.weight"])
        self.register_buffer("input_weight", both("weight_ih"))
        self.register_buffer("state_weight", both("weight_hh"))
        self.register_buffer("bias", torch.cat([both("bias_ih"), both("bias_hh")], dim=1))

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Words [B, T, D] and sentences [B, D] of word ids int64 [B, T] and lengths int64 [B]."""
        x = F.embedding(ids, self.get_buffer("embedding")).transpose(0, 1)
        inputs = (*map(self.get_buffer, ("input_weight", "state_weight", "bias")), lengths.to(torch.int32))
        num_words, batch = x.shape[:2]
        last = (2, batch, self.hidden_size)
        states, final, _ = torch.onnx.ops.symbolic_multi_out(
            "LSTM",
            (x, *inputs),
            {"direction": "bidirectional", "hidden_size": self.hidden_size},
            dtypes=(_FLOAT, _FLOAT, _FLOAT),
            shapes=((num_words, 2, batch, self.hidden_size), last, last),
            version=_OPERATOR_VERSION,
        )
        words = states.permute(2, 0, 1, 3).flatten(2)
        return words, F.normalize(final.transpose(0, 1).flatten(1), dim=1)


def _onnx_order(weight: Tensor) -> Tensor:
    """Rows of an LSTM's four gates in ONNX's order: input, output, forget, cell."""
    in_gate, forget, cell, out = weight.chunk(4)
    return torch.cat([in_gate, out, forget, cell])

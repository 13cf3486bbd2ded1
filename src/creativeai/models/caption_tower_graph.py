"""A matcher's caption tower as an ONNX graph, one GRU operator for both directions.

torch's exporter would unroll the GRU for captions of one length; the operator takes any.
"""

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from creativeai.models.text_image_matcher import CaptionTower

__all__ = ["caption_tower_graph"]

_OPSET = 20  # the first with Gelu
_IR_VERSION = 9


def caption_tower_graph(tower: CaptionTower) -> onnx.ModelProto:
    """The tower in evaluation mode, for one caption at a time.

    Inputs: `sentence` [1, D] and `words` [1, L, D]. Outputs: `code` [1, K], of length 1, and `states`
    [1, L, 2W], the GRU's at each word.
    """
    weights = {name: value.detach().float().cpu() for name, value in tower.state_dict().items()}
    hidden = tower.read_words.hidden_size
    text_dim, code_dim = tower.text_dim, len(weights["tower.6.bias"])

    def both(name: str) -> Tensor:
        directions = (weights[f"read_words.{name}_l0"], weights[f"read_words.{name}_l0_reverse"])
        return torch.stack([_onnx_order(weight) for weight in directions])

    constants = {name: value for name, value in weights.items() if not name.startswith("read_words")}
    constants["word_input.1.weight"] = weights["word_input.1.weight"].T  # for MatMul, which takes any rank
    constants |= {
        "gru.w": both("weight_ih"),
        "gru.r": both("weight_hh"),
        "gru.b": torch.cat([both("bias_ih"), both("bias_hh")], dim=1),
        "scale": torch.tensor(text_dim**0.5),
        "states.shape": torch.tensor([1, -1, 2 * hidden]),
        "over.words": torch.tensor([1]),
    }
    node = helper.make_node
    nodes = [
        _norm("words", "word_input.0", "words.normal"),
        node("MatMul", ["words.normal", "word_input.1.weight"], ["words.product"]),
        node("Add", ["words.product", "word_input.1.bias"], ["words.input"]),
        node("Transpose", ["words.input"], ["gru.x"], perm=[1, 0, 2]),
        node(
            "GRU",
            ["gru.x", "gru.w", "gru.r", "gru.b"],
            ["gru.y"],
            hidden_size=hidden,
            direction="bidirectional",
            linear_before_reset=1,
        ),
        node("Transpose", ["gru.y"], ["gru.places"], perm=[2, 0, 1, 3]),  # [L, 2, 1, W] to [1, L, 2, W]
        node("Reshape", ["gru.places", "states.shape"], ["states"]),
        node("ReduceMax", ["states", "over.words"], ["strongest"], keepdims=0),
        node("Mul", ["sentence", "scale"], ["sentence.scaled"]),
        node("Concat", ["sentence.scaled", "strongest"], ["joint"], axis=1),
        _norm("joint", "tower.0", "joint.normal"),
        node("Gemm", ["joint.normal", "tower.2.weight", "tower.2.bias"], ["hidden"], transB=1),
        node("Gelu", ["hidden"], ["hidden.active"]),
        _norm("hidden.active", "tower.4", "hidden.normal"),
        node("Gemm", ["hidden.normal", "tower.6.weight", "tower.6.bias"], ["code.long"], transB=1),
        node("LpNormalization", ["code.long"], ["code"], axis=1, p=2),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "caption_tower",
        [
            value("sentence", TensorProto.FLOAT, [1, text_dim]),
            value("words", TensorProto.FLOAT, [1, "words", text_dim]),
        ],
        [
            value("code", TensorProto.FLOAT, [1, code_dim]),
            value("states", TensorProto.FLOAT, [1, "words", 2 * hidden]),
        ],
        [numpy_helper.from_array(value.contiguous().numpy(), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def _norm(source: str, layer: str, out: str) -> onnx.NodeProto:
    inputs = [source, f"{layer}.weight", f"{layer}.bias"]
    return helper.make_node("LayerNormalization", inputs, [out], axis=-1, epsilon=1e-5)


def _onnx_order(weight: Tensor) -> Tensor:
    """Rows of a GRU's three gates in ONNX's order: update, reset, new."""
    reset, update, new = weight.chunk(3)
    return torch.cat([update, reset, new])

"""Writes Torch7 files: enough for a text encoder, and some of what else may be in such a file."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Module:
    """An object of a class of nn's."""

    class_name: str
    fields: dict[str, Any]


@dataclass
class Function:
    """A closure: its code, and what it captured."""

    code: bytes
    captured: Any = None
    kind: int = 8


@dataclass
class Writer:
    data: bytearray = field(default_factory=bytearray)
    num_objects: int = 0
    written: dict[int, tuple[int, Any]] = field(default_factory=dict)
    has_versions: bool = True

    def number(self, form: str, *values: Any) -> None:
        self.data += struct.pack(f"<{form}", *values)

    def text(self, value: str) -> None:
        self.number("i", len(value))
        self.data += value.encode("latin1")

    def begin(self, kind: int, value: Any) -> bool:
        """Write kind and number of an object; false if it stands in the file already."""
        self.number("i", kind)
        known = self.written.get(id(value))
        if known is not None:
            self.number("i", known[0])
            return False
        self.num_objects += 1
        self.written[id(value)] = (self.num_objects, value)
        self.number("i", self.num_objects)
        return True

    def class_name(self, name: str) -> None:
        if self.has_versions:
            self.text("V 1")
        self.text(name)

    def write(self, value: Any) -> None:
        if value is None:
            self.number("i", 0)
        elif isinstance(value, bool):
            self.number("ii", 5, value)
        elif isinstance(value, int | float):
            self.number("id", 1, value)
        elif isinstance(value, str):
            self.number("i", 2)
            self.text(value)
        elif isinstance(value, dict | list):
            if self.begin(3, value):
                entries = value if isinstance(value, dict) else dict(enumerate(value, 1))
                self.number("i", len(entries))
                for key, item in entries.items():
                    self.write(key)
                    self.write(item)
        elif isinstance(value, Module):
            if self.begin(4, value):
                self.class_name(value.class_name)
                self.write(value.fields)
        elif isinstance(value, Function):
            if value.kind == 6:
                self.number("i", 6)
            elif not self.begin(value.kind, value):
                return
            self.number("i", len(value.code))
            self.data += value.code
            self.write(value.captured)
        else:
            self.tensor(value)

    def tensor(self, value: NDArray[Any]) -> None:
        kind = {"f4": "Float", "f8": "Double", "i8": "Long", "u1": "Byte"}[value.dtype.str[1:]]
        base = value if value.base is None else value.base
        assert isinstance(base, np.ndarray)
        if self.begin(4, value):
            self.class_name(f"torch.{kind}Tensor")
            self.number("i", value.ndim)
            size = value.dtype.itemsize
            self.number(f"{value.ndim}q", *value.shape)
            self.number(f"{value.ndim}q", *(stride // size for stride in value.strides))
            offset = (value.ctypes.data - base.ctypes.data) // size
            self.number("q", offset + 1)
            if self.begin(4, base.data if value is base else base):
                self.class_name(f"torch.{kind}Storage")
                self.number("q", base.size)
                self.data += base.tobytes()


def t7_bytes(value: Any, *, has_versions: bool = True) -> bytes:
    writer = Writer(has_versions=has_versions)
    writer.write(value)
    return bytes(writer.data)


def linear(weight: NDArray[Any], bias: NDArray[Any]) -> Module:
    return Module("nn.Linear", {"weight": weight, "bias": bias, "gradWeight": np.zeros(0, weight.dtype)})


def text_net(
    recurrence: str, widths: tuple[int, int, int] = (6, 7, 8), out_dim: int = 10, seed: int = 0
) -> tuple[Module, dict[str, NDArray[np.float32]]]:
    """A net in the authors' structure, and its tensors by the names of `modules`, counted from 1."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, NDArray[np.float32]] = {}

    def layer(place: str, num_out: int, num_in: int) -> dict[str, NDArray[np.float32]]:
        # Numbers of half precision, in which a bundle stores them.
        weight = (rng.standard_normal((num_out, num_in)) * num_in**-0.5).astype(np.float16).astype(np.float32)
        bias = rng.standard_normal(num_out).astype(np.float16).astype(np.float32)
        tensors[f"{place}.weight"], tensors[f"{place}.bias"] = weight, bias
        return {"weight": weight, "bias": bias}

    convs: list[Module] = []
    num_in = 70
    for number, width in enumerate(widths):
        place = f"modules[2].modules[{3 * number + 1}]"
        convs.append(Module("nn.TemporalConvolution", {**layer(place, width, 4 * num_in), "kW": 4, "dW": 1}))
        convs.append(Module("nn.Threshold", {"threshold": 1e-6, "val": 0}))
        if number < 2 or recurrence == "rnn":
            convs.append(Module("nn.TemporalMaxPooling", {"kW": 3, "dW": 3 if number < 2 else 2}))
        num_in = width
    places = (
        {2: "nn.Sequential", 6: "nn.Linear"}
        if recurrence == "rnn"
        else dict.fromkeys((2, 5, 6, 10, 11, 15), "nn.Linear")
    )
    steps = [Module("nn.Identity", {}) for _ in range(20)]
    for place, class_name in places.items():
        inner = Module("nn.Linear", layer(f"modules[4].modules[{place}]", num_in, num_in))
        wrapped = Module("nn.Sequential", {"modules": [inner, Module("nn.Dropout", {"p": 0.0})]})
        steps[place - 1] = wrapped if class_name == "nn.Sequential" else inner
    steps[16] = Module("nn.Sigmoid" if recurrence == "gru" else "nn.Threshold", {})
    node: dict[str, Any] = {"data": {"module": steps[1]}}
    node["children"] = [node]  # graphs of nngraph refer to themselves
    unit = Module("nn.gModule", {"modules": steps, "fg": Module("graph.Graph", {"nodes": [node]})})
    modules = [
        Module("nn.View", {}),
        Module("nn.Sequential", {"modules": convs}),
        Module("nn.SplitTable", {"dimension": 2}),
        unit,
        Module("nn.Reshape", {"backward": Function(b"\x1bLJ\x01", {"upvalue": 3})}),
        Module("nn.Linear", layer("modules[6]", out_dim, num_in)),
    ]
    return Module("nn.Sequential", {"modules": modules}), tensors


def text_encoder_bytes(recurrence: str, **sizes: Any) -> bytes:
    net, _ = text_net(recurrence, **sizes)
    opt = {"learning_rate": 0.0007, "gpuid": -1, "savefile": "sje", "cuda": True}
    return t7_bytes({"protos": {"enc_doc": net, "enc_image": Module("nn.Sequential", {})}, "opt": opt})

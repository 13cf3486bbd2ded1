"""Device, number format and compilation: what makes a step fast on this machine."""

import shutil
import sysconfig
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

__all__ = ["Precision", "choose_precision"]


@dataclass(frozen=True)
class Precision:
    """How networks run in training."""

    device: torch.device
    use_bfloat16: bool
    use_compile: bool
    memory_format: torch.memory_format

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which losses are computed."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.use_bfloat16)

    def place(self, network: nn.Module) -> None:
        """Move a network to the device, in its memory format."""
        network.to(self.device, memory_format=self.memory_format)  # type: ignore[call-overload]

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function, or a network's forward pass, compiled where that is asked for.

        Shapes are static: compiled for changing ones it is many times slower on a CPU.
        """
        return torch.compile(function, dynamic=False) if self.use_compile else function


def choose_precision(use_compile: bool | None = None) -> Precision:
    """The fastest way this machine has.

    A GPU where there is one, bfloat16 where the processor has instructions for it, compilation where a C++
    compiler and Python's headers are found.

    Args:
        use_compile: Force compilation on or off; None decides by the machine.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        use_bfloat16 = torch.cuda.is_bf16_supported()
        can_compile = True
    else:
        use_bfloat16 = torch.cpu._is_avx512_bf16_supported()
        has_compiler = any(shutil.which(compiler) for compiler in ("g++", "clang++", "c++"))
        # torch.compile builds an extension module; Debian's python3 comes without the headers for it.
        can_compile = has_compiler and Path(sysconfig.get_path("include"), "Python.h").exists()
    return Precision(
        device, use_bfloat16, can_compile if use_compile is None else use_compile, torch.channels_last
    )

"""The first process's weights for all: the folders they come from need be on its machine alone."""

import io
from typing import Any, Protocol

import torch

from creativeai.models.layers.across_processes import num_processes
from creativeai.training.processes import is_first, share

__all__ = ["share_state"]


class _Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


def share_state(own: _Stateful) -> None:
    """Bring a network, or a training's state, to what it is in the first process."""
    if num_processes() == 1:
        return
    buffer = io.BytesIO()
    if is_first():
        torch.save(own.state_dict(), buffer)
    data = share(buffer.getvalue())
    if not is_first():
        own.load_state_dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))

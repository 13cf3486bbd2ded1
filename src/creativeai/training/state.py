"""All that a checkpoint holds: networks, their average, optimisers, and how far the training has come."""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer

from creativeai.errors import TrainingError
from creativeai.training.budget import Effort
from creativeai.training.ema import ExponentialMovingAverage

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """The loop's state and nothing else; data order and noise follow from seed and step."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    """By the name of the network they move."""
    ema: ExponentialMovingAverage | None = None
    """Average of the network that is used in the end, where its kind gains by one."""
    step: int = 0
    seconds: float = 0.0
    """By the clock."""
    cpu_seconds: float = 0.0
    """Of processor time, all cores together."""
    best_score: float = math.inf

    def effort(self) -> Effort:
        """How much has been trained, for the budget."""
        return Effort(self.step, self.seconds / 60, self.cpu_seconds / 60)

    def learning_rates(self) -> dict[str, float]:
        """By the name of the network."""
        return {name: optimizer.param_groups[0]["lr"] for name, optimizer in self.optimizers.items()}

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "best_score": self.best_score,
            **{name: network.state_dict() for name, network in self.networks.items()},
            **({} if self.ema is None else {"ema": self.ema.network.state_dict()}),
            **{f"{name}_optimizer": optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: The checkpoint is of other networks.
        """
        try:
            for name, network in self.networks.items():
                network.load_state_dict(state[name])
            if self.ema is not None:
                self.ema.network.load_state_dict(state["ema"])
            for name, optimizer in self.optimizers.items():
                own = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
                optimizer.load_state_dict(state[f"{name}_optimizer"])
                # The configuration's constants count, so that --set may change them when a run goes on.
                for group, constants in zip(optimizer.param_groups, own, strict=True):
                    group.update(constants)
            for name in ("step", "seconds", "cpu_seconds", "best_score"):
                setattr(self, name, state[name])
        except (RuntimeError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise TrainingError(f"the checkpoint doesn't fit the configuration: {reason}") from error

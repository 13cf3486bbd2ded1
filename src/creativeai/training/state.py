"""All that a checkpoint holds: networks, their average, optimisers, and how far the training has come."""

import math
import operator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import nn
from torch.optim import Optimizer

from creativeai.errors import TrainingError
from creativeai.training.budget import Effort
from creativeai.training.ema import ExponentialMovingAverage

__all__ = ["Trained", "TrainingState"]


class Trained(NamedTuple):
    """How much training went into weights."""

    steps: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> "Trained":
        """All that went into a checkpoint: its own run's part, and that of the run it was started from."""
        own = (checkpoint[name] for name in ("step", "images_seen", "seconds", "cpu_seconds"))
        return cls(*map(operator.add, cls(**checkpoint["earlier"]), own))


@dataclass
class TrainingState:
    """The loop's state and nothing else; data order and noise follow from seed and step."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    """By the name of the network they move."""
    ema: ExponentialMovingAverage | None = None
    """Average of the network that is used in the end, where its kind gains by one."""
    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    """By the clock."""
    cpu_seconds: float = 0.0
    """Of processor time, all cores together."""
    best_score: float = math.inf
    earlier: Trained = field(default_factory=Trained)
    """What the weights had behind them when the run was started from another one's."""
    config: dict[str, Any] = field(default_factory=dict)
    """The run's configuration from here on, which `--set` may have changed since an earlier checkpoint."""

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
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "best_score": self.best_score,
            "earlier": self.earlier._asdict(),
            "config": self.config,
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
            for name in ("step", "images_seen", "seconds", "cpu_seconds", "best_score"):
                setattr(self, name, state[name])
            self.earlier = Trained(**state["earlier"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise TrainingError(f"the checkpoint doesn't fit the configuration: {reason}") from error

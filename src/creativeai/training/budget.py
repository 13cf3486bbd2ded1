"""How long to train: by steps, by the clock, by processor time."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Budget", "Effort"]


class Effort(NamedTuple):
    """How much has been trained."""

    num_steps: int = 0
    minutes: float = 0.0
    cpu_minutes: float = 0.0


@dataclass(frozen=True)
class Budget:
    """When to stop: at whichever of the given bounds comes first; None for no such bound."""

    num_steps: int | None = None
    """Steps in all."""
    minutes: float | None = None
    """Minutes by the clock."""
    cpu_minutes: float | None = None
    """Minutes of processor time, all cores together: fair to compare where other work goes on beside."""

    def is_spent(self, effort: Effort) -> bool:
        """Whether no further step should be taken."""
        return any(done >= bound for _, done, bound in self._bounds(effort, effort))

    def fraction_done(self, before: Effort, effort: Effort) -> float:
        """How far `effort` has come from `before` to the bound, from 0 on; 0 without bounds."""
        fractions = [
            (done - start) / (bound - start) if bound > start else 1.0
            for start, done, bound in self._bounds(before, effort)
        ]
        return max(fractions, default=0.0)

    def from_here_on(self, effort: Effort) -> "Budget":
        """The same budget where its minutes, not its steps, begin to count now."""
        minutes = None if self.minutes is None else self.minutes + effort.minutes
        cpu_minutes = None if self.cpu_minutes is None else self.cpu_minutes + effort.cpu_minutes
        return Budget(self.num_steps, minutes, cpu_minutes)

    def _bounds(self, before: Effort, effort: Effort) -> list[tuple[float, float, float]]:
        bounds = (self.num_steps, self.minutes, self.cpu_minutes)
        return [
            (start, done, bound)
            for start, done, bound in zip(before, effort, bounds, strict=True)
            if bound is not None
        ]

"""The processes that train one run together, as `accelerate launch` or `torchrun` starts them.

The first one alone reads checkpoints and writes; all take the same steps, each with its rows of every batch.
Without a launcher there is one, and nothing here does anything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from creativeai.errors import TrainingError, UserError
from creativeai.models.layers.across_processes import num_processes, own_rank

__all__ = [
    "Meeting",
    "check_share",
    "failing_together",
    "is_first",
    "is_first_here",
    "joined",
    "meet",
    "on_all",
    "on_any",
    "share",
    "telling_once",
]

_STEP_TIMEOUT = timedelta(minutes=10)
"""The longest that a step, or a compilation within it, may take longer here than there."""
_WAIT_TIMEOUT = timedelta(hours=1)
"""The longest that the first process may measure, or train a matcher, while the others wait."""

_waiting: dist.ProcessGroup | None = None
"""The same processes with the longer timeout, by gloo: what they tell each other is in the CPU's memory."""


@contextmanager
def joined() -> Iterator[None]:
    """Meet the other processes that the launcher started, if it started any.

    Raises:
        TrainingError: They can't be reached, or one is lost later on.
    """
    global _waiting
    _refuse_single_start()
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise UserError("several processes need Accelerate: pip install 'creativeai[train]'") from error
    try:
        PartialState(cpu=not torch.cuda.is_available(), timeout=_STEP_TIMEOUT)
        _waiting = dist.new_group(backend="gloo", timeout=_WAIT_TIMEOUT)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"can't meet the other processes: {reason}; check the launcher's --main_process_ip, "
            "--main_process_port and --machine_rank"
        ) from error
    try:
        yield
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        if not is_first_here():
            raise SystemExit(2) from None
        raise TrainingError(
            "another process of this training has stopped or can't be reached; when that is mended, go on "
            "from the last checkpoint: creativeai train --resume RUN"
        ) from error
    finally:
        with suppress(RuntimeError):  # those that are lost can't be taken leave of
            dist.destroy_process_group()


def _refuse_single_start() -> None:
    # For several processes without a GPU Accelerate expects mpirun: it sets their address, and starts one.
    env = os.environ
    if "ACCELERATE_MIXED_PRECISION" in env and "MASTER_PORT" in env and "WORLD_SIZE" not in env:
        raise TrainingError(
            "accelerate has started one process instead of several, for there is no GPU: "
            "accelerate launch --multi_gpu --num_processes N starts N on processors too"
        )


def _is_lost(error: RuntimeError) -> bool:
    # gloo has no class of its own for what goes wrong between processes.
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower() or "peer" in str(error)


def is_first() -> bool:
    """Whether this is the process that reads checkpoints, writes and tells."""
    return own_rank() == 0


def is_first_here() -> bool:
    """Whether this is the first process of its machine."""
    return num_processes() == 1 or os.environ.get("LOCAL_RANK", "0") == "0"


def check_share(batch_size: int, *, in_pairs: bool) -> None:
    """Refuse a batch that can't be shared among the processes.

    Args:
        batch_size: B, of the run.
        in_pairs: Whether rows i and i + B / 2 belong together, so that a share must be even.

    Raises:
        TrainingError: It can't.
    """
    num = num_processes()
    unit = 2 * num if in_pairs else num
    if num == 1 or (batch_size % unit == 0 and batch_size >= 2 * num):
        return
    needed = f"a multiple of {unit}" if in_pairs else f"a multiple of {num}, at least {2 * num}"
    name = "learning.batch_size" if in_pairs else "batch_size"
    fitting = max(2 * num, batch_size - batch_size % unit)
    raise TrainingError(
        f"{name}={batch_size} can't be shared by {num} processes: it must be {needed}: --set {name}={fitting}"
    )


@contextmanager
def failing_together() -> Iterator[None]:
    """Stop all processes where one fails in the block: the first tells why, the others leave in silence.

    All come here, and nobody leaves before all are through; they must not exchange anything within.

    Raises:
        TrainingError: Another one failed.
    """
    if num_processes() == 1:
        yield
        return
    failure: Exception | None = None
    try:
        yield
    except (UserError, OSError) as error:
        failure = error
    reasons = _texts_of_all("" if failure is None else str(failure) or repr(failure))
    failed = [rank for rank, reason in enumerate(reasons) if reason]
    if not failed:
        return
    if not is_first():
        raise SystemExit(2)
    if failure is not None:
        raise failure
    raise TrainingError(f"process {failed[0]} of {num_processes()}: {reasons[failed[0]]}")


@contextmanager
def telling_once() -> Iterator[None]:
    """Leave it to the first process to tell an error that all have alike."""
    try:
        yield
    except UserError:
        if not is_first():
            raise SystemExit(2) from None
        raise


def share(data: bytes) -> bytes:
    """What the first process has; the others' own is not looked at."""
    if num_processes() == 1:
        return data
    size = torch.tensor(len(data))
    dist.broadcast(size, 0, group=_waiting)
    buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8) if is_first() else _empty_bytes(int(size))
    dist.broadcast(buffer, 0, group=_waiting)
    return buffer.numpy().tobytes()


def on_all(value: bool) -> bool:
    """Whether it is so in every process."""
    return not on_any(not value)


def on_any(value: bool) -> bool:
    """Whether it is so in any process."""
    if num_processes() == 1:
        return value
    count = torch.tensor(int(value))
    dist.all_reduce(count, group=_waiting)
    return bool(count)


class Meeting(NamedTuple):
    """What all know after a step."""

    is_stopped: bool
    """Whether any process is to stop."""
    is_busy: bool
    """Whether the first has something to do before the next step."""
    seconds: float
    """By the clock of the first."""
    cpu_seconds: float
    """Of processor time, all processes together."""


def meet(own: Meeting) -> Meeting:
    """Agree after a step, given what each process knows by itself."""
    if num_processes() == 1:
        return own
    told = own if is_first() else own._replace(is_busy=False, seconds=0.0)
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    sums = torch.tensor(told, dtype=torch.float64, device=device)
    dist.all_reduce(sums)
    is_stopped, is_busy, seconds, cpu_seconds = sums.tolist()
    return Meeting(is_stopped > 0, is_busy > 0, seconds, cpu_seconds)


def _texts_of_all(text: str) -> list[str]:
    data = text.encode()
    sizes = [torch.tensor(0) for _ in range(num_processes())]
    dist.all_gather(sizes, torch.tensor(len(data)), group=_waiting)
    longest = max(map(int, sizes))
    if not longest:
        return [""] * len(sizes)
    own = torch.frombuffer(bytearray(data.ljust(longest)), dtype=torch.uint8)
    buffers = [_empty_bytes(longest) for _ in sizes]
    dist.all_gather(buffers, own, group=_waiting)
    pairs = zip(buffers, sizes, strict=True)
    return [buffer.numpy().tobytes()[: int(size)].decode() for buffer, size in pairs]


def _empty_bytes(size: int) -> Tensor:
    return torch.empty(size, dtype=torch.uint8)

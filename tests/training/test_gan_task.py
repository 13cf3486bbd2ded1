from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from creativeai.training.gan_task import GanTask
from creativeai.training.materials import Materials
from creativeai.training.run import Run
from tiny_training import EXACT, fresh_task


def test_what_the_recipe_has_compiled_is_what_steps_run(
    run: Run, materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, int] = {}

    def fake_compile(function: Callable[..., Any], *, dynamic: bool) -> Callable[..., Any]:
        name = getattr(function, "__name__", type(function).__name__)

        def counted(*args: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return function(*args)

        return counted

    monkeypatch.setattr(torch, "compile", fake_compile)
    task = fresh_task(run, materials)
    task.step()
    assert calls == {}
    compiling: GanTask = replace(task, precision=replace(EXACT, use_compile=True))
    compiling.step()
    assert calls == {"ProjectedGenerator": 1, "changed_view": 2}

import shutil

import pytest
import torch
from torch import nn

from creativeai.training.precision import Precision, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("use_compile", [True, False])
def test_compilation_can_be_forced(monkeypatch: pytest.MonkeyPatch, use_compile: bool) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert choose_precision(use_compile).use_compile is use_compile


def test_nothing_is_compiled_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not choose_precision().use_compile


def test_nothing_is_compiled_without_python_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    assert not choose_precision().use_compile


@pytest.mark.parametrize(("use_bfloat16", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_autocast_is_on_where_bfloat16_is(use_bfloat16: bool, expected: torch.dtype) -> None:
    precision = Precision(CPU, use_bfloat16, use_compile=False, memory_format=torch.channels_last)
    with precision.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def test_what_is_not_compiled_is_the_network_itself() -> None:
    network = nn.Linear(2, 2)
    assert Precision(CPU, False, False, torch.channels_last).compile(network) is network

import pytest
import torch
from torch import nn

from creativeai.recipes.stabilisers.ttur import two_time_scales


def test_discriminator_learns_four_times_as_fast() -> None:
    generator, discriminator = two_time_scales(1e-4)
    assert generator == (1e-4, (0.0, 0.9))
    assert discriminator == (pytest.approx(4e-4), (0.0, 0.9))


def test_settings_are_what_adam_takes() -> None:
    [group] = torch.optim.Adam(nn.Linear(2, 2).parameters(), *two_time_scales(1e-4)[1]).param_groups
    assert (group["lr"], group["betas"]) == (pytest.approx(4e-4), (0.0, 0.9))

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from creativeai.errors import TrainingError
from creativeai.recipes.registry import list_recipes
from creativeai.recipes.stabilisers.settings import Stabilisers, check_batch
from creativeai.training.settings import apply_settings, config_from_dict, config_to_dict

WGAN_GP = {"loss": "wasserstein", "gradient_penalty": 10.0, "discriminator_norm": "none"}


@dataclass(frozen=True)
class RecipeConfig:
    batch_size: int = 8
    stabilisers: Stabilisers = field(default_factory=Stabilisers)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        WGAN_GP,
        WGAN_GP | {"discriminator_norm": "virtual"},
        WGAN_GP | {"spectral_norm_discriminator": True},
        WGAN_GP | {"gradient_penalty_one_sided": True, "r1": 1.0},
        {"loss": "wasserstein", "spectral_norm_discriminator": True, "discriminator_norm": "none"},
        {"loss": "hinge", "spectral_norm_discriminator": True, "spectral_norm_generator": True, "ttur": True},
        {"r1": 10.0, "discriminator_norm": "virtual"},
        {"minibatch_kernels": 100, "label_smoothing": 0.1, "feature_matching": 1.0},
        {"generator_norm": "virtual", "historical_averaging": 0.1, "pairs_together": True},
    ],
)
def test_what_goes_together_is_taken(fields: dict[str, Any]) -> None:
    stabilisers = Stabilisers(**fields)
    check_batch(stabilisers, 16)
    assert config_from_dict(Stabilisers, json.loads(json.dumps(config_to_dict(stabilisers)))) == stabilisers


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gradient_penalty": -1.0}, "gradient_penalty=-1.0 must be 0"),
        ({"r1": float("nan")}, "r1=nan must be 0"),
        ({"minibatch_kernels": -3}, "minibatch_kernels=-3 must be 0"),
        ({"label_smoothing": 0.5}, "label_smoothing=0.5 must be from 0 to below 0.5"),
        ({"label_smoothing": -0.1}, "label_smoothing=-0.1 must be from 0"),
        ({"r1_interval": 0}, "r1_interval=0 must be at least 1"),
        ({"reference_size": 1}, "reference_size=1 must be at least 2"),
        (WGAN_GP | {"label_smoothing": 0.1}, "no targets to smooth with loss=wasserstein"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "no targets to smooth with loss=hinge"),
        ({"gradient_penalty": 10.0}, "gradient_penalty is about .* discriminator_norm=batch makes it depend"),
        ({"r1": 1.0}, "r1 is about .* discriminator_norm=batch makes it depend"),
        (
            WGAN_GP | {"minibatch_kernels": 8},
            "gradient_penalty is about .* minibatch_kernels=8 makes it depend",
        ),
        ({"r1": 1.0, "discriminator_norm": "none", "minibatch_kernels": 8}, "minibatch_kernels=8 makes it"),
        (WGAN_GP | {"r1": 1.0}, "r1 pulls the gradient to 0 and gradient_penalty to 1"),
        ({"loss": "wasserstein"}, "only where the critic's slope is bounded"),
        (
            {"loss": "wasserstein", "spectral_norm_discriminator": True, "discriminator_norm": "virtual"},
            "discriminator_norm=virtual rescales the slope",
        ),
        (
            {"pairs_together": True, "discriminator_norm": "none"},
            "pairs_together is about batch normalisation, and discriminator_norm=none judges each pair by",
        ),
    ],
)
def test_contradictions_are_refused_with_the_reason(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Stabilisers(**fields)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("fields", "batch_size", "message"),
    [
        (
            {"minibatch_kernels": 8},
            1,
            "batch_size=1 must be at least 2: stabilisers.minibatch_kernels=8 compares",
        ),
        ({"feature_matching": 1.0}, 1, "stabilisers.feature_matching=1.0 compares means over the batch"),
        ({}, 1, "batch normalisation takes its statistics over the batch"),
        ({"generator_norm": "virtual"}, 8, "batch_size=8 is below stabilisers.reference_size=16"),
    ],
)
def test_a_batch_that_is_too_small_is_refused_with_the_reason(
    fields: dict[str, Any], batch_size: int, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_batch(Stabilisers(**fields), batch_size)


def test_the_smallest_batch_is_two() -> None:
    check_batch(Stabilisers(minibatch_kernels=8, feature_matching=1.0), 2)
    check_batch(Stabilisers(generator_norm="virtual", reference_size=2), 2)


def test_the_command_line_reaches_every_field() -> None:
    config = apply_settings(
        RecipeConfig(),
        [
            "stabilisers.loss=wasserstein",
            "stabilisers.gradient_penalty=10",
            "stabilisers.discriminator_norm=none",
            "stabilisers.ttur=true",
            "stabilisers.augment.cutout=0.3",
        ],
    )
    own = config.stabilisers
    assert (own.loss, own.gradient_penalty, own.discriminator_norm, own.ttur) == (
        "wasserstein",
        10,
        "none",
        True,
    )
    assert (own.augment.cutout, own.augment.colour) == (0.3, 0)
    assert (
        apply_settings(RecipeConfig(), ["stabilisers.label_smoothing=0.1"]).stabilisers.label_smoothing == 0.1
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("stabilisers.loss=hingee", "expected one of standard, wasserstein, hinge"),
        ("stabilisers.loss=wasserstein", "this configuration can't be: loss=wasserstein is a distance only"),
        ("stabilisers.smoothing=1", "no field 'smoothing'"),
    ],
)
def test_the_command_line_says_what_is_wrong(setting: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        apply_settings(RecipeConfig(), [setting])


def test_stabilisers_are_no_recipes() -> None:
    assert not {"stabilisers", "adversarial"} & set(list_recipes())

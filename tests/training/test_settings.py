import json
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.errors import TrainingError
from creativeai.recipes.projected_gan import PRESETS, ProjectedGanConfig
from creativeai.training.settings import apply_settings, config_from_dict, config_to_dict

DEBUG = PRESETS["debug"]
FIELDS = sorted(config_to_dict(DEBUG))


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ([], {}),
        (["guide_steps=8"], {"guide_steps": 8}),
        ([" guide_steps = 8 "], {"guide_steps": 8}),
        (["mismatch_weight=1e-3", "range_weight=1"], {"mismatch_weight": 1e-3, "range_weight": 1.0}),
        (["learning.adam_betas=(0, 0.9)"], {"learning": replace(DEBUG.learning, adam_betas=(0.0, 0.9))}),
        (["learning.adam_betas=[0.5, 0.9]"], {"learning": replace(DEBUG.learning, adam_betas=(0.5, 0.9))}),
        (["channels=(16,16,8)"], {"channels": (16, 16, 8)}),
        (["guide_steps=8", "guide_steps=6"], {"guide_steps": 6}),
        # Neither is valid without the other.
        (
            ["resolution=64", "channels=(8,8,8,8)", "num_blocks=(1,1,1,1)"],
            {"resolution": 64, "channels": (8, 8, 8, 8), "num_blocks": (1, 1, 1, 1)},
        ),
        (
            ["augment.colour=0", "augment.cutout=0.2"],
            {"augment": replace(DEBUG.augment, colour=0.0, cutout=0.2)},
        ),
    ],
)
def test_settings_change_the_configuration(settings: list[str], changes: dict[str, Any]) -> None:
    changed = apply_settings(DEBUG, settings)
    assert changed == replace(DEBUG, **changes)
    assert all(type(getattr(changed, name)) is type(value) for name, value in changes.items())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("guide_steps", "--set 'guide_steps': write it as field=value"),
        ("=3", "no field '': there are augment, channels, code_dim"),
        ("batchsize=3", "no field 'batchsize': there are augment, channels, code_dim"),
        ("guide_steps=many", "--set 'guide_steps=many': expected a value of type int"),
        ("guide_steps=1.5", "expected a value of type int"),
        ("guide_steps=true", "expected a value of type int"),
        ("guide_steps=", "expected a value of type int"),
        ("range_weight=1e999", "expected a value of type float"),
        ("range_weight=" + "9" * 400, "expected a value of type float"),
        ("range_weight={[]: 1}", "expected a value of type float"),
        ("channels=(8, 'a')", "expected a value of type tuple"),
        ("learning.adam_betas=(0.5,)", "expected a value of type tuple"),
        ("augment=0", "expected a value of type DiffAugment"),
        ("augment.hue=0", "no field 'hue': there are colour, cutout, translation"),
        ("guide_steps.x=1", "guide_steps has no fields of its own"),
        ("learning.batch_size=1", "this configuration can't be: batch_size=1 must be at least 2"),
        ("augment.cutout=3", "this configuration can't be: augment.cutout=3.0 must be 0 to 1"),
    ],
)
def test_bad_settings_are_refused_with_the_reason(setting: str, message: str) -> None:
    with pytest.raises(TrainingError) as error:
        apply_settings(DEBUG, [setting])
    assert message in str(error.value)


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.tuples(st.sampled_from([*FIELDS, "augment.colour", "augment.", ""]), st.text()).map("=".join),
            st.tuples(
                st.sampled_from([*FIELDS, "augment.colour"]),
                st.one_of(st.integers(), st.floats(), st.lists(st.integers()).map(tuple)).map(repr),
            ).map("=".join),
        ),
        max_size=4,
    )
)
def test_any_setting_gives_a_configuration_or_one_line(settings: list[str]) -> None:
    try:
        changed = apply_settings(DEBUG, settings)
    except TrainingError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert (
            config_from_dict(ProjectedGanConfig, json.loads(json.dumps(config_to_dict(changed)))) == changed
        )


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_come_back_from_json(preset: ProjectedGanConfig) -> None:
    back = config_from_dict(ProjectedGanConfig, json.loads(json.dumps(config_to_dict(preset))))
    assert back == preset
    assert hash(back) == hash(preset)  # lists would not hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stylish": 1}, "unknown field 'stylish'"),
        ({"guide_steps": "8"}, "guide_steps='8': expected a value of type int"),
        ({"channels": [8, "a"]}, "expected a value of type tuple"),
        ({"augment": {"colour": None}}, "colour=None: expected a value of type float"),
        ({"guide_steps": 0}, "this configuration can't be"),
    ],
)
def test_edited_configuration_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        config_from_dict(ProjectedGanConfig, config_to_dict(DEBUG) | changes)


@dataclass(frozen=True)
class Choices:
    norm: Literal["batch", "none"] = "batch"
    size: Literal[1, 2] = 1


def test_one_of_several_choices_can_be_set() -> None:
    assert apply_settings(Choices(), ["norm=none", "size=2"]) == Choices("none", 2)
    assert config_from_dict(Choices, {"norm": "none", "size": 2}) == Choices("none", 2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("norm=layer", "--set 'norm=layer': expected one of batch, none"),
        ("norm=", "expected one of batch, none"),
        ("norm=1", "expected one of batch, none"),
        ("size=3", "expected one of 1, 2"),
        ("size=true", "expected one of 1, 2"),
    ],
)
def test_what_is_no_choice_is_refused_with_the_choices(setting: str, message: str) -> None:
    with pytest.raises(TrainingError) as error:
        apply_settings(Choices(), [setting])
    assert message in str(error.value)


@dataclass(frozen=True)
class Named:
    weights: str | None = None


@pytest.mark.parametrize(
    ("text", "value"), [("a.pth", "a.pth"), ("/w/1", "/w/1"), ("7", "7"), ("None", None)]
)
def test_name_that_may_be_left_out_is_taken_as_typed(text: str, value: str | None) -> None:
    assert apply_settings(Named("b"), [f"weights={text}"]) == Named(value)


def test_empty_name_is_refused() -> None:
    with pytest.raises(TrainingError, match="expected a value of type"):
        apply_settings(Named(), ["weights="])


@pytest.mark.parametrize("norm", ["layer", 1, None, ["batch"]])
def test_edited_choice_is_refused(norm: Any) -> None:
    with pytest.raises(TrainingError, match="expected one of batch, none"):
        config_from_dict(Choices, {"norm": norm})

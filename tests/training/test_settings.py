import json
from dataclasses import replace
from typing import Any

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
        (["batch_size=8"], {"batch_size": 8}),
        ([" batch_size = 8 "], {"batch_size": 8}),
        (["generator_lr=1e-3", "discriminator_lr=1"], {"generator_lr": 1e-3, "discriminator_lr": 1.0}),
        (["adam_betas=(0, 0.9)"], {"adam_betas": (0.0, 0.9)}),
        (["adam_betas=[0.5, 0.9]"], {"adam_betas": (0.5, 0.9)}),
        (["channels=(16,16,8)"], {"channels": (16, 16, 8)}),
        (["batch_size=8", "batch_size=6"], {"batch_size": 6}),
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
        ("batch_size", "--set 'batch_size': write it as field=value"),
        ("=3", "no field '': there are adam_betas, augment, batch_size"),
        ("batchsize=3", "no field 'batchsize': there are adam_betas, augment, batch_size"),
        ("batch_size=many", "--set 'batch_size=many': expected a value of type int"),
        ("batch_size=1.5", "expected a value of type int"),
        ("batch_size=true", "expected a value of type int"),
        ("batch_size=", "expected a value of type int"),
        ("generator_lr=1e999", "expected a value of type float"),
        ("generator_lr=" + "9" * 400, "expected a value of type float"),
        ("generator_lr={[]: 1}", "expected a value of type float"),
        ("channels=(8, 'a')", "expected a value of type tuple"),
        ("adam_betas=(0.5,)", "expected a value of type tuple"),
        ("augment=0", "expected a value of type DiffAugment"),
        ("augment.hue=0", "no field 'hue': there are colour, cutout, translation"),
        ("batch_size.x=1", "batch_size has no fields of its own"),
        ("batch_size=1", "this configuration can't be: batch_size must be at least 2"),
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
        ({"batch_size": "8"}, "batch_size='8': expected a value of type int"),
        ({"channels": [8, "a"]}, "expected a value of type tuple"),
        ({"augment": {"colour": None}}, "colour=None: expected a value of type float"),
        ({"batch_size": 0}, "this configuration can't be"),
    ],
)
def test_edited_configuration_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        config_from_dict(ProjectedGanConfig, config_to_dict(DEBUG) | changes)

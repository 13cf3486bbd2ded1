"""Every cell of the comparison is a configuration that can be, and no two are the same."""

from pathlib import Path

import pytest

from creativeai.recipes.stabilisers.settings import Stabilisers
from creativeai.recipes.stackgan_stage1 import PRESETS
from creativeai.training.settings import apply_settings


@pytest.mark.parametrize("preset", ["debug", "compact"])
@pytest.mark.parametrize("batch", [8, 64])
def test_cells_are_valid_and_all_different(preset: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from stabiliser_cells import STABILISERS, settings_of

    configs = {name: apply_settings(PRESETS[preset], settings_of(name, batch)) for name in STABILISERS}
    assert configs["baseline"].stabilisers == Stabilisers()
    assert configs["label_smoothing"].stabilisers == Stabilisers(label_smoothing=0.1)
    assert {config.learning.batch_size for config in configs.values()} == {batch}
    assert len(set(configs.values())) == len(configs)


def test_table_has_a_row_for_each_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from stabiliser_cells import Result, markdown

    figures = {"fd_lite2": 12.34, "diversity": 0.5, "seed_diversity": 0.25, "colour_accuracy": 0.625}
    result = Result("ttur", 8, (), 100, 60.0, 13.3, **figures, collapsed=True, losses={})  # type: ignore[arg-type]
    table = markdown([result], {"r1, batch 8": "no"}, "Title")
    assert "| ttur | 8 | 100 | 12.3 | 0.50 | 0.25 | yes | 62.5% | 13.3 |" in table.splitlines()
    assert table.count("|", table.index("| stab"), table.index("\n|-")) == 10
    assert "- r1, batch 8: no" in table

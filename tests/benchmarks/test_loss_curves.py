from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def test_curves_are_averaged_and_drawn_where_their_values_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from loss_curves import Curve, Panel, draw_panels, smoothed, value_range

    assert smoothed([1.0, 3.0, 5.0, 7.0], 2).tolist() == [2, 6]
    assert smoothed([1.0, 2.0], 5).tolist() == [1, 2]
    spike = np.array([0.0] * 99 + [1.0] * 100 + [1e9])
    assert value_range([spike[:100], spike[100:]]) == (0, 1)
    assert value_range([]) == (0, 1)
    low, high = value_range([np.ones(3)])
    assert low < 1 < high

    rising, empty = Curve("up", np.linspace(0, 1, 1000).tolist()), Curve("none", [])
    draw_panels([Panel("a", [rising]), Panel("b", [empty])], tmp_path / "losses.png")
    panel = np.asarray(Image.open(tmp_path / "losses.png"))[:, :360].astype(int)
    blue = (panel[..., 2] - panel[..., 0] > 80) & (np.arange(len(panel))[:, None] > 32)
    rows, columns = blue.nonzero()
    assert np.corrcoef(rows, columns)[0, 1] < -0.99

from pathlib import Path

import pytest


def test_colours_of_drawings_are_read_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from attribute_accuracy import asked_birds, drawings, read_colours

    asked = asked_birds(9, seed=1)
    assert asked == asked_birds(9, seed=1) != asked_birds(9, seed=2)
    assert all(one.bird.body in one.caption for one in asked)
    pictures = list(drawings(asked, 64, seed=1))
    assert read_colours(asked, pictures).accuracy == 1

    # Each bird gets the picture of the next.
    moved = read_colours(asked, pictures[1:] + pictures[:1])
    bodies = [one.bird.body for one in asked]
    same = sum(own == other for own, other in zip(bodies, bodies[1:] + bodies[:1], strict=True))
    assert moved.accuracy == pytest.approx(same / 9)
    assert moved.as_dict()[bodies[0]][bodies[1]] >= 1
    assert sum(count for row in moved.as_dict().values() for count in row.values()) == 9
    assert len(list(moved.lines())) == 10

import pytest

from creativeai.text.mirroring import mirrored_caption


@pytest.mark.parametrize(
    ("caption", "mirrored"),
    [
        ("a bird facing left", "a bird facing right"),
        ("turned to the right, left wing up", "turned to the left, right wing up"),
        ("Left of a tree", "right of a tree"),
        ("a bright bird by a cleft", "a bright bird by a cleft"),
        ("a red bird", "a red bird"),
    ],
)
def test_left_and_right_change_places_in_the_mirror(caption: str, mirrored: str) -> None:
    assert mirrored_caption(caption) == mirrored

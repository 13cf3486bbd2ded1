import pytest
import torch

from creativeai.recipes.augmentation import DiffAugment

OFF = {"colour": 0.0, "translation": 0.0, "cutout": 0.0}


def numbered_pictures(batch: int, side: int) -> torch.Tensor:
    """No two pixels of a picture are equal, and none is zero."""
    return (
        (1 + torch.arange(3 * side * side, dtype=torch.float)).view(1, 3, side, side).repeat(batch, 1, 1, 1)
    )


def test_strength_zero_changes_nothing() -> None:
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(DiffAugment(**OFF)(images), images)


@pytest.mark.parametrize("name", OFF)
def test_each_picture_is_changed_in_its_own_way_and_a_seed_repeats_it(name: str) -> None:
    augment = DiffAugment(**OFF | {name: 0.4})
    images = numbered_pictures(8, 16)
    torch.manual_seed(3)
    first = augment(images)
    torch.manual_seed(3)
    assert torch.equal(augment(images), first)
    torch.manual_seed(4)
    assert not torch.equal(augment(images), first)
    assert len({tuple(image.flatten().tolist()) for image in first}) > 4


@pytest.mark.parametrize("batch", [8, 7])
@pytest.mark.parametrize("name", OFF)
def test_in_pairs_both_halves_are_changed_alike(name: str, batch: int) -> None:
    images = numbered_pictures(batch, 16)
    augmented = DiffAugment(**OFF | {name: 0.4})(images, in_pairs=True)
    half = (batch + 1) // 2
    assert torch.equal(augmented[half:], augmented[: batch - half])
    assert len({tuple(image.flatten().tolist()) for image in augmented[:half]}) > 2


def test_nothing_is_random_once_the_changes_are_drawn() -> None:
    images = torch.randn(4, 3, 16, 16)
    augment = DiffAugment()
    torch.manual_seed(3)
    expected = augment(images, in_pairs=True)
    torch.manual_seed(3)
    changes = augment.draw(images, in_pairs=True)
    state = torch.get_rng_state()
    assert torch.equal(augment.apply(images, changes), expected)
    assert torch.equal(augment.apply(images, changes), expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_gradient_reaches_every_picture_through_all_three() -> None:
    images = torch.randn(8, 3, 16, 16, requires_grad=True)
    DiffAugment()(images).square().sum().backward()
    assert images.grad is not None
    assert (images.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_translation_shifts_by_whole_pixels_and_repeats_the_edge() -> None:
    side, reach = 16, 4
    images = numbered_pictures(64, side)
    padded = torch.nn.functional.pad(images[:1], (reach,) * 4, mode="replicate")[0]
    shifts = {
        (dy, dx): padded[:, reach + dy : reach + dy + side, reach + dx : reach + dx + side]
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
    }
    found = []
    for image in DiffAugment(**OFF | {"translation": 0.25})(images):
        found += [shift for shift, shifted in shifts.items() if torch.equal(image, shifted)]
    assert len(found) == len(images)
    for axis in (0, 1):
        assert {shift[axis] for shift in found} == set(range(-reach, reach + 1))


def test_translation_passes_gradients_straight_through() -> None:
    images = numbered_pictures(5, 16).requires_grad_()
    moved = DiffAugment(**OFF | {"translation": 0.25})(images)
    moved.sum().backward()
    assert images.grad is not None
    # Each pixel gets as much as there are copies of it.
    for image, gradient, shifted in zip(images, images.grad, moved, strict=True):
        values, counts = shifted.unique(return_counts=True)
        copies = dict(zip(values.tolist(), counts.tolist(), strict=True))
        assert gradient.flatten().tolist() == [copies.get(value, 0) for value in image.flatten().tolist()]


def test_cutout_blanks_a_square_and_nothing_else() -> None:
    side, size = 20, 8
    images = numbered_pictures(100, side)
    full = 0
    for image, original in zip(DiffAugment(**OFF | {"cutout": 0.4})(images), images, strict=True):
        hole = image[0] == 0
        rows, columns = hole.any(1).sum(), hole.any(0).sum()
        assert hole.sum() == rows * columns, "not a rectangle"
        assert rows <= size and columns <= size
        full += bool(rows == columns == size)
        assert torch.equal(image[:, ~hole], original[:, ~hole])
        assert (image[:, hole] == 0).all()
    assert 20 < full < 80  # the rest lies across the edge


def test_colour_moves_a_plain_picture_by_at_most_half_its_strength() -> None:
    images = torch.full((200, 3, 4, 4), 0.25)
    moved = DiffAugment(**OFF | {"colour": 0.5})(images) - 0.25
    assert torch.allclose(moved, moved[:, :1, :1, :1].expand_as(moved), atol=1e-6)
    assert moved.abs().max() <= 0.25 + 1e-6
    assert moved.abs().max() > 0.2


def test_colour_scales_contrast_about_the_mean() -> None:
    images = torch.randn(100, 1, 8, 8).repeat(1, 3, 1, 1)  # grey: saturation has nothing to change
    changed = DiffAugment(**OFF | {"colour": 0.5})(images)
    ratio = changed.std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3))
    assert 0.5 - 1e-4 <= ratio.min() < 0.6 and 1.4 < ratio.max() <= 1.5 + 1e-4


@pytest.mark.parametrize(("name", "value"), [("cutout", 1.5), ("translation", -0.1), ("colour", 7.0)])
def test_strengths_beyond_a_picture_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"augment\.{name}={value} must be 0 to 1"):
        DiffAugment(**{name: value})

import numpy as np

from creativeai.recipes.encoders.attention_grid import attention_grid


def test_photo_glows_where_the_word_looks_and_is_dark_elsewhere() -> None:
    pixels = np.full((1, 32, 32, 3), 128, np.uint8)
    attention = np.zeros((1, 2, 4, 4))
    attention[0, 0, 0, 0] = 1  # top left
    attention[0, 1] = 0.25  # everywhere the same
    grid = attention_grid(pixels, [["red", "bird"]], attention)
    assert grid.shape == (114, 3 * 96, 3) and grid.dtype == np.uint8
    assert (grid[18:, :96] == 128).all()  # the photo itself
    looked_at, elsewhere = grid[24, 96 + 6].astype(int), grid[104, 96 + 86].astype(int)
    assert looked_at[0] > elsewhere[0] + 50 and looked_at[0] > looked_at[2] + 40  # orange
    assert elsewhere.max() < 64
    assert (grid[18:, 192:] == grid[18, 192]).all()  # no word stands out in a flat map


def test_words_stand_above_their_maps() -> None:
    pixels = np.zeros((2, 16, 16, 3), np.uint8)
    grid = attention_grid(pixels, [["red", "bird"], ["owl"]], np.random.default_rng(0).random((2, 3, 2, 2)))
    assert grid.shape == (2 * 114, 3 * 96, 3)
    strips = [grid[row : row + 18, column : column + 96] for row in (0, 114) for column in (0, 96, 192)]
    assert [bool((strip < 128).any()) for strip in strips] == [False, True, True, False, True, False]

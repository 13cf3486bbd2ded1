import numpy as np
import torch

from creativeai.models.pixels import pixels_to_tensor, tensor_to_pixels


def test_every_byte_comes_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = pixels_to_tensor(pixels)
    assert tensor.shape == (1, 3, 16, 16)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    np.testing.assert_array_equal(tensor_to_pixels(tensor), pixels)


def test_what_is_out_of_range_is_clipped() -> None:
    tensor = torch.tensor([-3.0, 0.0, 1.2]).view(1, 3, 1, 1)
    np.testing.assert_array_equal(tensor_to_pixels(tensor), [[[[0, 128, 255]]]])

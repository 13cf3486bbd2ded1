import copy
import io

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm, reference_rows

NUM = 4  # examples of the reference
SHAPES = [(9, 3), (7, 3, 5, 2)]


def random_norm(channels: int = 3) -> VirtualBatchNorm:
    norm = VirtualBatchNorm(channels).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def trained(norm: nn.Module, x: Tensor) -> Tensor:
    with reference_rows(norm, NUM):
        out: Tensor = norm(x)
    return out


def written_out(norm: VirtualBatchNorm, x: Tensor) -> np.ndarray:
    """The paper's formula, example by example, with means of squares."""
    rows = x.detach().numpy().reshape(*x.shape[:2], -1)  # [N, C, H * W]
    out = np.empty_like(rows)
    reference_mean, reference_square = rows[:NUM].mean((0, 2)), (rows[:NUM] ** 2).mean((0, 2))
    for i, row in enumerate(rows):
        share = 0 if i < NUM else 1 / (NUM + 1)
        mean = (1 - share) * reference_mean + share * row.mean(1)
        square = (1 - share) * reference_square + share * (row**2).mean(1)
        deviation = np.sqrt(square - mean**2 + norm.eps)
        out[i] = (row - mean[:, None]) / deviation[:, None]
        out[i] = out[i] * norm.weight.detach().numpy()[:, None] + norm.bias.detach().numpy()[:, None]
    return out.reshape(x.shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_formula(shape: tuple[int, ...]) -> None:
    norm, x = random_norm(), torch.randn(shape, dtype=torch.double) * 2 + 1
    np.testing.assert_allclose(trained(norm, x).detach().numpy(), written_out(norm, x), rtol=1e-9)


def test_a_batch_of_the_reference_alone_is_normalised_by_itself() -> None:
    norm, x = random_norm(), torch.randn(NUM, 3, 4, 4, dtype=torch.double)
    plain = nn.functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True)
    torch.testing.assert_close(trained(norm, x), plain)


def test_an_example_depends_on_the_reference_and_never_on_its_companions() -> None:
    norm, x = random_norm(), torch.randn(7, 3, 4, 4, dtype=torch.double, requires_grad=True)
    [gradient] = torch.autograd.grad(trained(norm, x)[5].square().sum(), x)
    moved = gradient.abs().sum((1, 2, 3)) > 0
    assert moved.tolist() == [True] * NUM + [False, True, False]


@pytest.mark.parametrize("shape", [(6, 2), (6, 2, 2, 2)])
def test_first_and_second_derivatives_are_right(shape: tuple[int, ...]) -> None:
    norm, x = random_norm(2), torch.randn(shape, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: trained(norm, x), (x,))
    assert torch.autograd.gradgradcheck(lambda x: trained(norm, x), (x,))


@pytest.mark.parametrize("shape", SHAPES)
def test_evaluation_remembers_the_reference_and_needs_none(shape: tuple[int, ...]) -> None:
    norm, x = random_norm(), torch.randn(shape, dtype=torch.double) * 2 + 1
    expected = trained(norm, x)[NUM:]
    saved = io.BytesIO()
    torch.save(norm.state_dict(), saved)
    saved.seek(0)
    other = VirtualBatchNorm(3).double().eval()
    other.load_state_dict(torch.load(saved, weights_only=True))
    for _ in range(3):  # torchgan forgets the reference after every second batch
        torch.testing.assert_close(other(x[NUM:]), expected)
        torch.testing.assert_close(other(x[-1:]), expected[-1:])


def test_reference_statistics_follow_the_weights_before_them() -> None:
    norm, x = random_norm(), torch.randn(7, 3, 4, 4, dtype=torch.double)
    trained(norm, x)
    expected = trained(norm, x * 3)[NUM:]
    torch.testing.assert_close(norm.eval()(x[NUM:] * 3), expected)


def test_a_mean_far_from_zero_costs_no_precision() -> None:
    norm = VirtualBatchNorm(3)
    x = torch.randn(7, 3, 8, 8) + 3000
    exact = trained(copy.deepcopy(norm).double(), x.double())
    torch.testing.assert_close(trained(norm, x).double(), exact, atol=2e-3, rtol=0)


def test_half_precision_has_its_statistics_in_single() -> None:
    norm = VirtualBatchNorm(3)
    x = (torch.randn(7, 3, 64, 64) + 5).bfloat16()
    out = trained(norm, x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, trained(norm, x.float()).bfloat16())
    torch.testing.assert_close(norm.reference_mean, x[:NUM].float().mean((0, 2, 3)))


@pytest.mark.parametrize("num", [0, 8])
def test_training_without_a_whole_reference_is_refused(num: int) -> None:
    norm = VirtualBatchNorm(3)
    message = f"a batch of 7 that begins with a reference of {num}"
    with pytest.raises(RuntimeError, match=message), reference_rows(norm, num):
        norm(torch.randn(7, 3))


def test_reference_rows_reach_every_layer_and_end_even_by_an_error() -> None:
    network = nn.Sequential(VirtualBatchNorm(3), nn.Sequential(nn.ReLU(), VirtualBatchNorm(3)))
    layers = [network[0], network[1][1]]
    with pytest.raises(KeyError), reference_rows(network, 5):
        assert [layer.num_reference for layer in layers] == [5, 5]
        raise KeyError
    assert [layer.num_reference for layer in layers] == [0, 0]


def test_untrained_it_stands_any_picture() -> None:
    norm = VirtualBatchNorm(3).eval()
    for x in (torch.zeros(1, 3), torch.randn(2, 3, 4, 4)):
        assert norm(x).isfinite().all()


def test_onnx_draws_the_same_for_any_number_of_pictures() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), VirtualBatchNorm(4), nn.ReLU())
    trained(network, torch.randn(7, 3, 6, 6))
    network.eval()
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 3, 6, 6),),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    session = ort.InferenceSession(
        program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = torch.randn(3, 3, 6, 6)
    for part in (x, x[:1]):
        [out] = session.run(None, {session.get_inputs()[0].name: part.numpy()})
        np.testing.assert_allclose(out, network(part).detach().numpy(), atol=1e-5)

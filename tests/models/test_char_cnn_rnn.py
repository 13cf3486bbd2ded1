import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.models.char_cnn_rnn import (
    NUM_CHARACTERS,
    TEXT_LENGTH,
    CharCnnRnn,
    GatedUnit,
    RectifiedUnit,
    Recurrence,
)


def linear(x: Tensor, unit: torch.nn.Module, name: str) -> Tensor:
    layer = getattr(unit, name)
    return layer.weight @ x + layer.bias


def test_gated_unit_is_the_published_recurrence() -> None:
    unit = GatedUnit(6).double()
    x = torch.randn(2, 5, 6, dtype=torch.double)
    for caption, states in zip(x, unit(x), strict=True):
        hidden = torch.tanh(linear(caption[0], unit, "i2h"))  # neither weights nor bias of h2h
        torch.testing.assert_close(states[0], hidden)
        for step in range(1, 5):
            inputs = caption[step]
            update = torch.sigmoid(linear(inputs, unit, "i2h_update") + linear(hidden, unit, "h2h_update"))
            reset = torch.sigmoid(linear(inputs, unit, "i2h_reset") + linear(hidden, unit, "h2h_reset"))
            candidate = torch.tanh(linear(inputs, unit, "i2h") + linear(reset * hidden, unit, "h2h"))
            hidden = update * candidate + (1 - update) * hidden
            torch.testing.assert_close(states[step], hidden)


def test_rectified_unit_is_the_published_recurrence() -> None:
    unit = RectifiedUnit(6).double()
    x = torch.randn(1, 4, 6, dtype=torch.double)
    hidden = linear(x[0, 0], unit, "i2h").relu()
    expected = [hidden]
    for step in range(1, 4):
        hidden = (linear(x[0, step], unit, "i2h") + linear(hidden, unit, "h2h")).relu()
        expected.append(hidden)
    torch.testing.assert_close(unit(x)[0], torch.stack(expected))


@pytest.mark.parametrize(("recurrence", "num_steps"), [("gru", 18), ("rnn", 8)])
def test_steps_of_the_recurrence(recurrence: Recurrence, num_steps: int) -> None:
    network = CharCnnRnn(recurrence, (8, 8), 8, 12)
    seen = []
    network.rnn.register_forward_hook(lambda module, inputs, states: seen.append(states))
    out = network(torch.zeros(3, TEXT_LENGTH, dtype=torch.int64))
    assert out.shape == (3, 12)
    assert seen[0].shape == (3, num_steps, 8)
    torch.testing.assert_close(out, network.projection(seen[0].mean(dim=1)))


def test_published_widths() -> None:
    def num(recurrence: Recurrence, hidden: int) -> int:
        network = CharCnnRnn(recurrence, hidden_dim=hidden)
        return sum(weight.numel() for weight in network.parameters())

    convs = 70 * 4 * 384 + 384 + 384 * 4 * 512 + 512
    assert num("gru", 512) == convs + 512 * 4 * 512 + 512 + 6 * (512 * 512 + 512) + 512 * 1024 + 1024
    assert num("rnn", 256) == convs + 512 * 4 * 256 + 256 + 2 * (256 * 256 + 256) + 256 * 1024 + 1024


def test_convolutions_see_one_hot_characters_and_nothing_for_none() -> None:
    network = CharCnnRnn("rnn", (8, 8), 8, 4)
    ids = torch.randint(0, NUM_CHARACTERS + 1, (2, TEXT_LENGTH))
    seen = []
    network.conv1.register_forward_hook(lambda module, inputs, out: seen.append((inputs[0], out)))
    network(ids)
    [(x, out)] = seen
    torch.testing.assert_close(x, F.one_hot(ids, NUM_CHARACTERS + 1)[:, :, 1:].float().transpose(1, 2))
    assert (x.sum(dim=1) == (ids > 0)).all()
    assert out.shape == (2, 8, 198)


def test_gradient_reaches_every_weight() -> None:
    network = CharCnnRnn("gru", (16, 16), 16, 8)
    network(torch.randint(0, 71, (4, TEXT_LENGTH))).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())

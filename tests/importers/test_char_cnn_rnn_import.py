"""The authors' Torch7 net of a text encoder in ours, and what it computes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from creativeai.errors import DataError
from creativeai.importers.char_cnn_rnn import read_text_encoder, text_graph, to_official
from creativeai.text.alphabet import ALPHABET, character_ids
from importers.t7_writer import Module, t7_bytes, text_encoder_bytes, text_net

CAPTION = "this small bird has black wings; a red-crested one."


def one_hot(text: str) -> torch.Tensor:
    """As Lua does it: a row of zeros for characters it doesn't know, and of two equal ones the later."""
    rows = torch.zeros(201, 70)
    for place, character in enumerate(text[:201]):
        if character in ALPHABET:
            rows[place, ALPHABET.rindex(character)] = 1
    return rows


def by_hand(text: str, w: dict[str, NDArray[np.float32]], recurrence: str) -> torch.Tensor:
    """Sentence vector, from Torch7's definitions of its layers."""
    t = {name: torch.from_numpy(value) for name, value in w.items()}

    def temporal_convolution(x: torch.Tensor, name: str) -> torch.Tensor:
        windows = torch.stack([x[start : start + 4].flatten() for start in range(len(x) - 3)])
        x = windows @ t[f"{name}.weight"].T + t[f"{name}.bias"]
        return torch.where(x > 1e-6, x, 0.0)

    def pool(x: torch.Tensor, step: int) -> torch.Tensor:
        return torch.stack([x[start : start + 3].amax(0) for start in range(0, len(x) - 2, step)])

    def linear(x: torch.Tensor, place: int) -> torch.Tensor:
        name = f"modules[4].modules[{place}]"
        return t[f"{name}.weight"] @ x + t[f"{name}.bias"]

    x = pool(temporal_convolution(one_hot(text), "modules[2].modules[1]"), 3)
    x = pool(temporal_convolution(x, "modules[2].modules[4]"), 3)
    x = temporal_convolution(x, "modules[2].modules[7]")
    states = []
    if recurrence == "rnn":
        x = pool(x, 2)
        assert len(x) == 8
        for step, vector in enumerate(x):
            own = linear(vector, 2)
            states.append(F.relu(own if step == 0 else own + linear(states[-1], 6)))
    else:
        assert len(x) == 18
        for step, vector in enumerate(x):
            if step == 0:
                states.append(torch.tanh(linear(vector, 2)))
                continue
            last = states[-1]
            update = torch.sigmoid(linear(vector, 5) + linear(last, 6))
            reset = torch.sigmoid(linear(vector, 10) + linear(last, 11))
            new = torch.tanh(linear(vector, 2) + linear(reset * last, 15))
            states.append(update * new + (1 - update) * last)
    return t["modules[6].weight"] @ torch.stack(states).mean(0) + t["modules[6].bias"]


@pytest.fixture(params=["gru", "rnn"])
def recurrence(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_net_computes_what_torch7_does(tmp_path: Path, recurrence: str) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(text_encoder_bytes(recurrence))
    _, tensors = text_net(recurrence)
    network = read_text_encoder(file)
    for text in (CAPTION, "a Red bird: 42 é!"):
        ours = network(torch.tensor([character_ids(text, "lua")]))[0]
        # In Lua, `é` is two bytes, and each of them an unknown character.
        expected = by_hand(text.encode().decode("latin1"), tensors, recurrence)
        assert expected.std() > 0.1
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_import_and_export_give_back_every_bit(tmp_path: Path, recurrence: str) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(text_encoder_bytes(recurrence))
    _, tensors = text_net(recurrence)
    back = to_official(read_text_encoder(file))
    assert back.keys() == tensors.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(back[name].numpy(), value)


@pytest.mark.parametrize("hidden", [512, 256])
def test_published_sizes(tmp_path: Path, recurrence: str, hidden: int) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(text_encoder_bytes(recurrence, widths=(384, 512, hidden), out_dim=1024))
    network = read_text_encoder(file)
    num_units = 6 if recurrence == "gru" else 2
    convs = 70 * 4 * 384 + 384 + 384 * 4 * 512 + 512 + 512 * 4 * hidden + hidden
    rest = num_units * (hidden * hidden + hidden) + hidden * 1024 + 1024
    assert sum(weight.numel() for weight in network.parameters()) == convs + rest


def test_net_stored_bare_or_as_doubles_is_read_too(tmp_path: Path) -> None:
    net, tensors = text_net("rnn")
    (tmp_path / "bare.t7").write_bytes(t7_bytes(net))
    network = read_text_encoder(tmp_path / "bare.t7")
    np.testing.assert_array_equal(network.projection.weight.numpy(), tensors["modules[6].weight"])


def test_both_treatments_of_capitals_reach_the_graph(tmp_path: Path) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(text_encoder_bytes("gru"))
    network = read_text_encoder(file)
    assert text_graph(network, "lua").settings == {"unknown_characters": "lua"}
    assert text_graph(network, "port").settings == {"unknown_characters": "port"}


def broken(edit: Any) -> bytes:
    net, _ = text_net("gru")
    edit(net.fields["modules"])
    return t7_bytes({"protos": {"enc_doc": net}})


def no_bias(modules: list[Module]) -> None:
    del modules[5].fields["bias"]


def no_unit(modules: list[Module]) -> None:
    modules[3].fields["modules"][14] = Module("nn.Tanh", {})


def one_more_pooling(modules: list[Module]) -> None:
    modules[1].fields["modules"].append(Module("nn.TemporalMaxPooling", {}))


def odd_kernel(modules: list[Module]) -> None:
    conv = modules[1].fields["modules"][0]
    conv.fields["weight"] = np.zeros((6, 279), np.float32)


def other_alphabet(modules: list[Module]) -> None:
    conv = modules[1].fields["modules"][0]
    conv.fields["weight"] = np.zeros((6, 284), np.float32)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (t7_bytes({"opt": {"gpuid": 0.0}}), "no net of a text encoder in it"),
        (t7_bytes("hello"), "no net of a text encoder in it"),
        (t7_bytes(Module("nn.Linear", {})), "no net of a text encoder in it"),
        (broken(no_bias), r"modules\[6\]\.bias is not a tensor of 1 dimensions"),
        (broken(no_unit), r"at modules\[4\]\.modules\[15\] there is nn\.Tanh, where .* has nn\.Linear"),
        (broken(one_more_pooling), "pools 3 times: .* with this recurrence do 2 times"),
        (broken(odd_kernel), r"has 279 columns, no multiple of 4"),
        (broken(other_alphabet), r"modules\[2\]\.modules\[1\]\.weight has the shape 6 x 71 x 4, where"),
    ],
)
def test_other_file_is_refused(tmp_path: Path, content: bytes, wrong: str) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"sje\.t7.*{wrong}"):
        read_text_encoder(file)

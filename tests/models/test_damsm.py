import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from creativeai.models.damsm import DamsmImageHeads, DamsmTextEncoder, Lite0Trunk, VectorAdapter
from creativeai.models.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0

IDS = torch.tensor([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7], [8, 0, 0, 0, 0], [2, 9, 1, 0, 0]])
LENGTHS = torch.tensor([2, 5, 1, 3])  # not sorted


@pytest.fixture
def encoder() -> DamsmTextEncoder:
    return DamsmTextEncoder(10, embedding_dim=6, dim=8).eval()


def packed(encoder: DamsmTextEncoder) -> tuple[Tensor, Tensor]:
    """What the published encoder computes: torch's own bidirectional LSTM over packed sequences."""
    sequences = pack_padded_sequence(encoder.encoder(IDS), LENGTHS, batch_first=True, enforce_sorted=False)
    states, (last, _) = encoder.rnn(sequences)
    words, _ = pad_packed_sequence(states, batch_first=True)
    return words, last.transpose(0, 1).flatten(1)


def test_words_and_sentence_equal_a_packed_bidirectional_lstm(encoder: DamsmTextEncoder) -> None:
    words, sentence = encoder(IDS, LENGTHS)
    expected_words, expected_sentence = packed(encoder)
    torch.testing.assert_close(words, expected_words)
    torch.testing.assert_close(sentence, expected_sentence)
    assert not words[torch.arange(5) >= LENGTHS[:, None]].any()


def test_gradients_equal_those_of_a_packed_bidirectional_lstm(encoder: DamsmTextEncoder) -> None:
    grads = []
    for words, sentence in (encoder(IDS, LENGTHS), packed(encoder)):
        loss = words.square().sum() + sentence.cos().sum()
        grads.append(torch.autograd.grad(loss, list(encoder.parameters())))
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_padding_changes_nothing(encoder: DamsmTextEncoder) -> None:
    words, sentence = encoder(IDS, LENGTHS)
    filled = torch.where(torch.arange(5) < LENGTHS[:, None], IDS, 9)
    for ours, theirs in zip(encoder(filled, LENGTHS), (words, sentence), strict=True):
        torch.testing.assert_close(ours, theirs)
    alone_words, alone_sentence = encoder(IDS[:1, :2], LENGTHS[:1])
    torch.testing.assert_close(alone_words, words[:1, :2])
    torch.testing.assert_close(alone_sentence, sentence[:1])


def test_shapes_are_those_of_the_published_text_encoder() -> None:
    encoder = DamsmTextEncoder(5450)
    direction = {"weight_ih": (512, 300), "weight_hh": (512, 128), "bias_ih": (512,), "bias_hh": (512,)}
    expected = {"encoder.weight": (5450, 300)} | {
        f"rnn.{name}_l0{suffix}": shape for name, shape in direction.items() for suffix in ("", "_reverse")
    }
    assert {name: tuple(value.shape) for name, value in encoder.state_dict().items()} == expected
    assert sum(weight.numel() for weight in encoder.parameters()) == 2_075_320
    assert -0.1 <= encoder.encoder.weight.min() < -0.099 and 0.099 < encoder.encoder.weight.max() <= 0.1


def test_dropout_is_on_embeddings_in_training_only(encoder: DamsmTextEncoder) -> None:
    first, again = (encoder(IDS, LENGTHS)[1] for _ in range(2))
    assert torch.equal(first, again)
    encoder.train()
    first, again = (encoder(IDS, LENGTHS)[1] for _ in range(2))
    assert not torch.equal(first, again)


def test_heads_bring_map_and_vector_into_one_space() -> None:
    heads = DamsmImageHeads(12, 20, 8)
    regions, code = heads(torch.randn(3, 12, 5, 4), torch.randn(3, 20))
    assert regions.shape == (3, 8, 5, 4) and code.shape == (3, 8)
    assert heads.emb_features.bias is None
    assert {name: tuple(value.shape) for name, value in DamsmImageHeads(768, 2048).state_dict().items()} == {
        "emb_features.weight": (256, 768, 1, 1),
        "emb_cnn_code.weight": (256, 2048),
        "emb_cnn_code.bias": (256,),
    }


def test_adapter_keeps_words_and_sentence_apart() -> None:
    adapter = VectorAdapter(12, 8)
    words, sentence = adapter(torch.randn(2, 5, 12), torch.randn(2, 12))
    assert words.shape == (2, 5, 8) and sentence.shape == (2, 8)
    assert isinstance(adapter.words, nn.Linear) and not torch.equal(
        adapter.words.weight, adapter.sentence.weight
    )


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return load_efficientnet_lite0()


@pytest.mark.parametrize("resolution", [32, 64, 96])
def test_lite0_trunk_sees_pictures_at_its_own_side(network: EfficientNetLite0, resolution: int) -> None:
    trunk = Lite0Trunk(network, side=64)
    images = torch.rand(2, 3, resolution, resolution, requires_grad=True)
    region_map, vector = trunk(images)
    assert region_map.shape == (2, trunk.region_channels, 4, 4)
    assert vector.shape == (2, trunk.global_channels)
    region_map.sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    if resolution == 64:
        features = network(images)
        torch.testing.assert_close(region_map, features[2], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(vector, network.pool(features[3]), rtol=1e-3, atol=1e-4)

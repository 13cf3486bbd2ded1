"""Imported networks compute what the published code does, written out here on the published tensors."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.importers import attngan, damsm, df_gan, stackgan, stackgan_v2
from creativeai.importers.name_map import Weights
from creativeai.models.conditioning import TextTensors, sentence_tensors
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from importers.official_files import small_weights

FILE = Path("net.pth")
Activation = Callable[[Tensor], Tensor]


def close(ours: Tensor, theirs: Tensor) -> None:
    assert theirs.std() > 1e-2, "a comparison of constants says nothing"
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def glu(x: Tensor) -> Tensor:
    half = x.shape[1] // 2
    return x[:, :half] * torch.sigmoid(x[:, half:])


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def norm(x: Tensor, w: Weights, name: str) -> Tensor:
    shape = (1, -1, *[1] * (x.dim() - 2))
    mean, variance, scale, shift = (
        w[f"{name}.{part}"].view(shape) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift


def conv(x: Tensor, w: Weights, name: str, stride: int = 1) -> Tensor:
    weight = w[f"{name}.weight"]
    padding = 0 if weight.shape[-1] == stride == 4 else (weight.shape[-1] - 1) // 2
    return F.conv2d(x, weight, w.get(f"{name}.bias"), stride, padding)


def up(x: Tensor, w: Weights, name: str, activation: Activation, first: int = 1) -> Tensor:
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return activation(norm(conv(x, w, f"{name}.{first}"), w, f"{name}.{first + 1}"))


def tanh_image(x: Tensor, w: Weights, name: str) -> Tensor:
    return torch.tanh(conv(x, w, name))


def code_of(sentence: Tensor, epsilon: Tensor, w: Weights, before: str, activation: Activation) -> Tensor:
    name = f"{before}ca_net.fc"
    x = activation(F.linear(sentence, w[f"{name}.weight"], w[f"{name}.bias"]))
    mean, log_variance = x.chunk(2, dim=1)
    return mean + epsilon * torch.exp(0.5 * log_variance)


def initial(code: Tensor, w: Weights, before: str, activation: Activation) -> Tensor:
    x = activation(norm(F.linear(code, w[f"{before}fc.0.weight"]), w, f"{before}fc.1"))
    x = x.view(len(x), -1, 4, 4)
    for block in range(1, 5):
        x = up(x, w, f"{before}upsample{block}", activation)
    return x


def residual(x: Tensor, w: Weights, before: str, num: int, activation: Activation) -> Tensor:
    for block in range(num):
        name = f"{before}residual.{block}.block"
        y = activation(norm(conv(x, w, f"{name}.0"), w, f"{name}.1"))
        x = x + norm(conv(y, w, f"{name}.3"), w, f"{name}.4")
        x = x if activation is glu else activation(x)
    return x


def tiles(code: Tensor, side: int) -> Tensor:
    return code[:, :, None, None].repeat(1, 1, side, side)


def some_text(num: int, text_dim: int = 32, num_words: int = 5) -> TextTensors:
    """Sentences of 3, 4, 5 words in turn."""
    mask = torch.arange(num_words)[None] < torch.tensor([3 + place % 3 for place in range(num)])[:, None]
    words = torch.randn(num, num_words, text_dim) * mask[:, :, None]
    return TextTensors(torch.randn(num, text_dim), words, mask)


@pytest.mark.parametrize(
    ("name", "num_residual"),
    [("attngan_bird generator", 2), ("attndcgan_bird generator", 0)],
)
def test_attngan_generator(name: str, num_residual: int) -> None:
    w = small_weights(name)
    network = attngan.generator(w, FILE)
    text = some_text(3)
    z, epsilon = torch.randn(3, 10), torch.randn(3, 10)
    out = network(torch.cat([z, epsilon], dim=1), text)

    code = code_of(text.sentence, epsilon, w, "", glu)
    x = initial(torch.cat([code, z], dim=1), w, "h_net1.", glu)
    images, maps = [x], []
    for stage in (2, 3):
        before = f"h_net{stage}."
        # Published word vectors are [B, D, T]; each caption has its own mask.
        source = F.conv2d(text.words.transpose(1, 2)[:, :, :, None], w[f"{before}att.conv_context.weight"])
        source = source.squeeze(3)
        scores = torch.einsum("bchw,bct->bhwt", x, source)
        scores = scores.masked_fill(~text.mask[:, None, None, :], -torch.inf)
        weights = scores.softmax(dim=3)
        context = torch.einsum("bct,bhwt->bchw", source, weights)
        x = residual(torch.cat([x, context], dim=1), w, before, num_residual, glu)
        x = up(x, w, f"{before}upsample", glu)
        images.append(x)
        maps.append(weights.permute(0, 3, 1, 2))
    if "img_net.img.0.weight" in w:
        expected = [tanh_image(images[-1], w, "img_net.img.0")]
    else:
        expected = [tanh_image(x, w, f"img_net{stage}.img.0") for stage, x in enumerate(images, 1)]
    assert len(out.images) == len(expected) and len(out.attention) == 2
    for ours, theirs in zip((*out.images, *out.attention), (*expected, *maps), strict=True):
        close(ours, theirs)


def test_stackgan_v2_generator() -> None:
    w = small_weights("stackgan_v2 generator")
    network = stackgan_v2.generator(w, FILE)
    sentence, z, epsilon = torch.randn(2, 128), torch.randn(2, 10), torch.randn(2, 16)
    out = network(torch.cat([z, epsilon], dim=1), sentence_tensors(sentence))
    code = code_of(sentence, epsilon, w, "", glu)
    x = initial(torch.cat([code, z], dim=1), w, "h_net1.", glu)
    expected = [tanh_image(x, w, "img_net1.img.0")]
    for stage in (2, 3):
        before = f"h_net{stage}."
        x = torch.cat([tiles(code, x.shape[-1]), x], dim=1)
        x = glu(norm(conv(x, w, f"{before}jointConv.0"), w, f"{before}jointConv.1"))
        x = up(residual(x, w, before, 2, glu), w, f"{before}upsample", glu)
        expected.append(tanh_image(x, w, f"img_net{stage}.img.0"))
    for ours, theirs in zip(out.images, expected, strict=True):
        close(ours, theirs)


def stage1(noise: Tensor, sentence: Tensor, w: Weights, before: str) -> Tensor:
    z, epsilon = noise.split([10, 16], dim=1)
    code = code_of(sentence, epsilon, w, before, F.relu)
    x = initial(torch.cat([z, code], dim=1), w, before, F.relu)
    return tanh_image(x, w, f"{before}img.0")


def test_stackgan_stage1_generator() -> None:
    w = small_weights("stackgan_stage1 generator")
    noise, sentence = torch.randn(2, 26), torch.randn(2, 128)
    [image] = stackgan.stage1_generator(w, FILE)(noise, sentence_tensors(sentence)).images
    close(image, stage1(noise, sentence, w, ""))


def test_stackgan_stage2_generator() -> None:
    w = small_weights("stackgan_stage2 generator")
    noise, epsilon, sentence = torch.randn(2, 26), torch.randn(2, 16), torch.randn(2, 128)
    network = stackgan.stage2_generator(w, FILE)
    out = network(torch.cat([noise, epsilon], dim=1), sentence_tensors(sentence))
    first = stage1(noise, sentence, w, "STAGE1_G.")
    code = code_of(sentence, epsilon, w, "", F.relu)
    x = F.relu(conv(first, w, "encoder.0"))
    x = F.relu(norm(conv(x, w, "encoder.2", stride=2), w, "encoder.3"))
    x = F.relu(norm(conv(x, w, "encoder.5", stride=2), w, "encoder.6"))
    x = torch.cat([x, tiles(code, 16)], dim=1)
    x = F.relu(norm(conv(x, w, "hr_joint.0"), w, "hr_joint.1"))
    x = residual(x, w, "", 2, F.relu)
    for block in range(1, 5):
        x = up(x, w, f"upsample{block}", F.relu)
    close(out.images[0], first)
    close(out.images[1], tanh_image(x, w, "img.0"))


def test_df_gan_generator() -> None:
    w = small_weights("df_gan generator")
    noise, sentence = torch.randn(2, 10), torch.randn(2, 32)
    [image] = df_gan.generator(w, FILE)(noise, sentence_tensors(sentence)).images
    condition = torch.cat([noise, sentence], dim=1)

    def affine(x: Tensor, name: str) -> Tensor:
        parts = []
        for layer in ("fc_gamma", "fc_beta"):
            lin = [w[f"{name}.{layer}.linear{i}.{part}"] for i in (1, 2) for part in ("weight", "bias")]
            parts.append(F.linear(F.relu(F.linear(condition, lin[0], lin[1])), lin[2], lin[3]))
        return leaky(parts[0][:, :, None, None] * x + parts[1][:, :, None, None])

    x = F.linear(noise, w["fc.weight"], w["fc.bias"]).view(2, 32, 4, 4)
    for block in range(6):
        name = f"GBlocks.{block}"
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        y = affine(affine(x, f"{name}.fuse1.affine0"), f"{name}.fuse1.affine1")
        y = conv(y, w, f"{name}.c1")
        y = affine(affine(y, f"{name}.fuse2.affine0"), f"{name}.fuse2.affine1")
        y = conv(y, w, f"{name}.c2")
        x = y + (conv(x, w, f"{name}.c_sc") if f"{name}.c_sc.weight" in w else x)
    close(image, tanh_image(leaky(x), w, "to_rgb.1"))


def image_code(images: Tensor, w: Weights, resolution: int) -> Tensor:
    """StackGAN-v2's and AttnGAN's encode_image_by_16times, then down and back to 8 * width channels."""
    x = leaky(conv(images, w, "img_code_s16.0", stride=2))
    for place in (2, 5, 8):
        x = leaky(norm(conv(x, w, f"img_code_s16.{place}", 2), w, f"img_code_s16.{place + 1}"))
    further = {64: (), 128: ("s32", "s32_1"), 256: ("s32", "s64", "s64_1", "s64_2")}[resolution]
    for name in further:
        stride = 1 if "_" in name else 2
        x = leaky(norm(conv(x, w, f"img_code_{name}.0", stride), w, f"img_code_{name}.1"))
    return x


def logits(x: Tensor, w: Weights, name: str) -> Tensor:
    return conv(x, w, name, stride=4).flatten()


def judged(network: JointDiscriminator, images: Tensor, condition: Tensor) -> tuple[Tensor, Tensor | None]:
    features = network.features(images)
    alone = network.unconditional(features) if network.has_unconditional else None
    return network.conditional(features, condition), alone


@pytest.mark.parametrize("resolution", [64, 128, 256])
def test_attngan_discriminators(resolution: int) -> None:
    w = small_weights(f"attngan_bird discriminator {resolution}")
    images, condition = torch.randn(3, 3, resolution, resolution), torch.randn(3, 32)
    conditional, alone = judged(attngan.discriminator(w, FILE), images, condition)
    x = image_code(images, w, resolution)
    y = torch.cat([x, tiles(condition, 4)], dim=1)
    y = leaky(norm(conv(y, w, "COND_DNET.jointConv.0"), w, "COND_DNET.jointConv.1"))
    close(conditional, logits(y, w, "COND_DNET.outlogits.0"))
    assert alone is not None
    close(alone, logits(x, w, "UNCOND_DNET.outlogits.0"))


def test_attndcgan_discriminator_judges_only_with_the_sentence() -> None:
    w = small_weights("attndcgan_bird discriminator 256")
    images, condition = torch.randn(2, 3, 256, 256), torch.randn(2, 32)
    conditional, alone = judged(attngan.discriminator(w, FILE), images, condition)
    y = torch.cat([image_code(images, w, 256), tiles(condition, 4)], dim=1)
    y = leaky(norm(conv(y, w, "COND_DNET.jointConv.0"), w, "COND_DNET.jointConv.1"))
    close(conditional, logits(y, w, "COND_DNET.outlogits.0"))
    assert alone is None


@pytest.mark.parametrize("resolution", [64, 128, 256])
def test_stackgan_v2_discriminators(resolution: int) -> None:
    w = small_weights(f"stackgan_v2 discriminator {resolution}")
    images, condition = torch.randn(3, 3, resolution, resolution), torch.randn(3, 16)
    conditional, alone = judged(stackgan_v2.discriminator(w, FILE), images, condition)
    x = image_code(images, w, resolution)
    y = torch.cat([tiles(condition, 4), x], dim=1)  # the condition first
    y = leaky(norm(conv(y, w, "jointConv.0"), w, "jointConv.1"))
    close(conditional, logits(y, w, "logits.0"))
    assert alone is not None
    close(alone, logits(x, w, "uncond_logits.0"))


@pytest.mark.parametrize(
    ("name", "strided", "plain"),
    [
        ("stackgan_stage1 discriminator 64", (2, 5, 8), ()),
        ("stackgan_stage2 discriminator 256", (2, 5, 8, 11, 14), (17, 20)),
    ],
)
def test_stackgan_discriminators(name: str, strided: tuple[int, ...], plain: tuple[int, ...]) -> None:
    w = small_weights(name)
    side = int(name.split()[-1])
    images, condition = torch.randn(3, 3, side, side), torch.randn(3, 16)
    conditional, alone = judged(stackgan.discriminator(w, FILE), images, condition)
    x = leaky(conv(images, w, "encode_img.0", stride=2))
    for place in (*strided, *plain):
        stride = 2 if place in strided else 1
        x = leaky(norm(conv(x, w, f"encode_img.{place}", stride), w, f"encode_img.{place + 1}"))
    y = torch.cat([x, tiles(condition, 4)], dim=1)
    y = leaky(norm(conv(y, w, "get_cond_logits.outlogits.0"), w, "get_cond_logits.outlogits.1"))
    close(conditional, logits(y, w, "get_cond_logits.outlogits.3"))
    if alone is not None:
        close(alone, logits(x, w, "get_uncond_logits.outlogits.0"))
    assert (alone is not None) == (side == 256)


def lstm(x: Tensor, w: Weights, suffix: str) -> Tensor:
    """States [T, H] of one direction over x [T, E]; gates in torch's order: input, forget, cell, output."""
    size = w[f"rnn.weight_hh_l0{suffix}"].shape[1]
    hidden, cell, states = torch.zeros(size), torch.zeros(size), []
    for vector in x:
        gates = F.linear(vector, w[f"rnn.weight_ih_l0{suffix}"], w[f"rnn.bias_ih_l0{suffix}"])
        gates = gates + F.linear(hidden, w[f"rnn.weight_hh_l0{suffix}"], w[f"rnn.bias_hh_l0{suffix}"])
        enter, forget, new, leave = gates.chunk(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        hidden = torch.sigmoid(leave) * torch.tanh(cell)
        states.append(hidden)
    return torch.stack(states)


def read_by_hand(ids: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
    """Word vectors [T, D] and sentence vector [D] of a caption: last states of both directions."""
    x = w["encoder.weight"][ids]
    forward, backward = lstm(x, w, ""), lstm(x.flip(0), w, "_reverse").flip(0)
    return torch.cat([forward, backward], dim=1), torch.cat([forward[-1], backward[0]])


def test_attngan_text_encoder() -> None:
    w = small_weights("attngan_bird text_encoder")
    captions = [torch.tensor([1, 5, 2]), torch.tensor([8, 2, 4, 3, 11])]
    ids = torch.nn.utils.rnn.pad_sequence(captions, batch_first=True)
    words, sentences = damsm.text_encoder(w, FILE)(ids, torch.tensor([3, 5]))
    for row, caption in enumerate(captions):
        expected_words, expected_sentence = read_by_hand(caption, w)
        close(words[row, : len(caption)], expected_words)
        close(sentences[row], expected_sentence)
    assert not words[0, 3:].any()

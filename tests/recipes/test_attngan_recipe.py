from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models.conditioning import TextTensors
from creativeai.recipes import attngan
from creativeai.recipes.attngan import PRESETS, AttnGanConfig, build
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.encoders.contract import EncoderContext
from creativeai.recipes.encoders.damsm import ENTRY as DAMSM
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, DamsmGuide, load_damsm_guide
from creativeai.recipes.stabilisers.settings import Stabilisers
from exact_recipes import as_fake, as_real, divergence, doubled, judged, judged_alone, judges

MakeBatch = Callable[..., Batch]
DEBUG = PRESETS["debug"]
GUIDED = replace(DEBUG, damsm_weight=5.0)
DAMSM_DIM = 16
CAPTIONS = ["a small red bird", "a blue bird that sings", "bird", "the very large green bird on a branch"]


def make_recipe(config: AttnGanConfig, context: BuildContext) -> ConditionalGan:
    torch.manual_seed(0)
    recipe = build(config, context)
    recipe.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return recipe


@pytest.fixture
def guided(context: BuildContext, tmp_path: Path) -> BuildContext:
    """With a text encoder's folder, in which a DAMSM's run has put its guide."""
    torch.manual_seed(1)
    recipe: Any = DAMSM.build(DAMSM.presets["debug"], EncoderContext(context.feature_network, CAPTIONS))
    (tmp_path / GUIDE_NAME).write_bytes(recipe.guide())
    return replace(context, text_dim=DAMSM_DIM, text_folder=tmp_path)


def of_damsm(batch: Batch) -> Batch:
    """The batch with captions as long as this DAMSM's."""
    words = torch.randn(*batch.text.mask.shape, DAMSM_DIM) * batch.text.mask[:, :, None]
    text = TextTensors(F.normalize(torch.randn(len(words), DAMSM_DIM)), words, batch.text.mask)
    return replace(batch, text=text)


def test_every_stage_is_judged_with_the_sentence_and_alone(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(DEBUG, context)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)
    sentence = recipe.generator.standardise(batch.text.sentence)
    squares = batch.images.numpy().reshape(4, 3, 64, 2, 64, 2).mean(axis=(3, 5))
    reals = (torch.from_numpy(squares), batch.images)
    expected: dict[str, float] = {}
    total = asked = 0.0
    for side, network, real, image in zip(
        (64, 128), judges(recipe), reals, passed.output.images, strict=True
    ):
        fake = image.detach()
        terms = {
            "real": as_real(judged(network, real, sentence)),
            "fake": as_fake(judged(network, fake, sentence)),
            "wrong": as_fake(judged(network, real, sentence[1:], slice(3))),
            "real_unconditional": as_real(judged_alone(network, real)),
            "fake_unconditional": as_fake(judged_alone(network, fake)),
        }
        total += (terms["real"] + terms["real_unconditional"]) / 2
        total += (terms["fake"] + terms["wrong"] + terms["fake_unconditional"]) / 3
        asked += as_real(judged(network, fake, sentence)) + as_real(judged_alone(network, fake))
        expected |= {f"{name}_{side}": term for name, term in terms.items()}
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-9)
    assert loss.item() == pytest.approx(total, rel=1e-9)

    loss, parts = recipe.generator_loss(batch, passed)
    assert not {"damsm_words", "damsm_sentence"} & parts.keys()
    assert loss.item() == pytest.approx(asked + divergence(passed.output), rel=1e-6)


def test_attn_dcgan_judges_its_one_picture_with_the_sentence_alone(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(replace(DEBUG, last_image_only=True, num_residual=0), context)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)
    [network], [image] = judges(recipe), passed.output.images
    assert not network.has_unconditional and image.shape[-1] == 128
    sentence, fake = recipe.generator.standardise(batch.text.sentence), image.detach()
    assert parts.keys() == {"real", "fake", "wrong"}
    wrong = as_fake(judged(network, batch.images, sentence[1:], slice(3)))
    expected = as_real(judged(network, batch.images, sentence)) + 0.5 * (
        as_fake(judged(network, fake, sentence)) + wrong
    )
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    loss, _ = recipe.generator_loss(batch, passed)
    asked = as_real(judged(network, fake, sentence))
    assert loss.item() == pytest.approx(asked + divergence(passed.output), rel=1e-6)


def test_damsm_judges_the_last_picture(
    guided: BuildContext, make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = make_recipe(GUIDED, guided)
    batch = of_damsm(make_batch(recipe))
    seen: list[Tensor] = []
    losses_of = DamsmGuide.losses

    def losses(guide: DamsmGuide, images: Tensor, text: TextTensors, labels: Tensor) -> Any:
        seen.append(images)
        return losses_of(guide, images, text, labels)

    monkeypatch.setattr(DamsmGuide, "losses", losses)
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.generator_loss(batch, passed)
    [shown] = seen
    assert torch.equal(shown, passed.output.images[-1])

    assert guided.text_folder is not None
    guide = load_damsm_guide(guided.text_folder / GUIDE_NAME, guided.feature_network)
    assert guide.gammas == (4, 5, 10)
    expected = losses_of(guide, shown.detach(), batch.text, batch.labels)
    assert parts["damsm_words"].item() == pytest.approx(expected.words.item(), rel=1e-5)
    assert parts["damsm_sentence"].item() == pytest.approx(expected.sentence.item(), rel=1e-5)
    # The sentence's, written out: the classes are 0, 0, 1, 1, of which one's own is as right.
    with torch.no_grad():
        _, codes = guide.heads(*guide.trunk(shown))
    pictures, captions = codes.double().numpy(), batch.text.sentence.double().numpy()
    cosines = pictures @ captions.T / np.outer(np.linalg.norm(pictures, axis=1), 1)
    likelihoods = np.exp(10 * cosines)
    likelihoods[[0, 1, 2, 3], [1, 0, 3, 2]] = 0
    both = [np.diag(likelihoods) / likelihoods.sum(axis) for axis in (1, 0)]
    by_hand = -np.log(both).mean(axis=1).sum()
    assert parts["damsm_sentence"].item() == pytest.approx(by_hand, rel=1e-4)

    names = [f"{name}_{side}" for name in ("adversarial", "adversarial_unconditional") for side in (64, 128)]
    assert parts.keys() == {*names, "kl", "damsm_words", "damsm_sentence"}
    adversarial = sum(parts[name].item() for name in [*names, "kl"])
    damsm = parts["damsm_words"].item() + parts["damsm_sentence"].item()
    assert loss.item() == pytest.approx(adversarial + 5 * damsm, rel=1e-5)


def test_generator_learns_by_damsm_which_itself_stands_still(
    guided: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(GUIDED, guided)
    batch = of_damsm(make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    _, parts = recipe.generator_loss(batch, passed)
    for name in ("damsm_words", "damsm_sentence"):
        recipe.generator.zero_grad()
        parts[name].backward(retain_graph=True)
        [first, last] = recipe.generator.to_image
        assert last[0].weight.grad.any()
        assert first[0].weight.grad is None
        assert recipe.generator.initial.fc[0].weight.grad.any()
    networks = (recipe.generator, recipe.discriminator)
    held = {id(weight) for network in networks for weight in network.parameters()}
    in_optimizers = {
        id(weight)
        for optimizer in recipe.optimizers().values()
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    assert in_optimizers == held  # and so no weight of DAMSM's or of the picture network


def test_damsm_is_asked_for_by_name_where_it_is_missing(context: BuildContext, tmp_path: Path) -> None:
    for text_folder in (None, tmp_path):
        with pytest.raises(ValueError, match="damsm_weight needs a trained DAMSM: creativeai train damsm"):
            build(GUIDED, replace(context, text_folder=text_folder))
    (tmp_path / GUIDE_NAME).write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(TrainingError, match="is no guide of DAMSM's"):
        build(GUIDED, replace(context, text_folder=tmp_path))
    build(DEBUG, replace(context, text_folder=None))


def test_presets_have_the_published_constants() -> None:
    bird, coco, dcgan = (PRESETS[name] for name in ("paper", "paper_coco", "attn_dcgan"))
    for preset in (bird, coco, dcgan):
        assert (preset.z_dim, preset.condition_dim, preset.resolution) == (100, 100, 256)
        assert (preset.kl_weight, preset.learning.adam_betas) == (1.0, (0.5, 0.999))
        assert preset.learning.generator_lr == preset.learning.discriminator_lr == 2e-4
        assert preset.stabilisers == Stabilisers()
    widths = [(p.generator_width, p.discriminator_width, p.num_residual) for p in (bird, coco, dcgan)]
    assert widths == [(32, 64, 2), (48, 96, 3), (32, 64, 0)]
    assert [p.damsm_weight for p in (bird, coco, dcgan)] == [5, 50, 1]
    assert [p.learning.batch_size for p in (bird, coco, dcgan)] == [20, 14, 30]
    assert [p.last_image_only for p in (bird, coco, dcgan)] == [False, False, True]
    assert attngan.RECIPE.uses_words


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resolution": 32}, "resolution=32 must be 64, 128 or 256"),
        ({"damsm_weight": -5.0}, "damsm_weight=-5.0 must be 0 or more"),
        ({"generator_width": 0}, "generator_width=0 must be above zero"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEBUG, **fields)

"""What holds for every recipe, whatever the paper: its `debug` preset put to the test."""

import ast
import inspect
import io
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from creativeai.bundles.onnx_export import generator_to_onnx
from creativeai.errors import TrainingError
from creativeai.models.generator_output import GeneratorOutput
from creativeai.recipes.contract import Batch, BuildContext, Recipe
from creativeai.recipes.registry import find_preset, find_recipe, list_recipes

MakeBatch = Callable[..., Batch]
GRAPH_BYTES = 100_000
"""What a graph may take besides its weights."""


@pytest.fixture(params=list_recipes())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recipe(name: str, context: BuildContext) -> Recipe:
    return build(name, context, seed=0)


def build(name: str, context: BuildContext, seed: int) -> Recipe:
    torch.manual_seed(seed)
    entry = find_recipe(name)
    if entry.builds_on_first_stage:
        first = build("stackgan_stage1", context, seed + 5).generator.eval()
        context = replace(context, first_stage=first)
    built = entry.build(entry.presets["debug"], context)
    built.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return built


def draw(recipe: Recipe, batch: Batch) -> tuple[Tensor, ...]:
    return draw_all(recipe, batch).images


def draw_all(recipe: Recipe, batch: Batch) -> GeneratorOutput:
    with torch.no_grad():
        output: GeneratorOutput = recipe.generator.eval()(batch.noise, batch.text)
        return output


def test_it_has_its_presets_and_a_title(name: str) -> None:
    entry = find_recipe(name)
    assert entry.name == name
    assert entry.title
    assert {"compact", "debug"} <= entry.presets.keys()


def test_pictures_grow_to_the_preset_resolution(recipe: Recipe, make_batch: MakeBatch) -> None:
    stages = draw(recipe, make_batch(recipe))
    sides = [stage.shape[-1] for stage in stages]
    assert tuple(sides) == tuple(sorted(set(sides))) == recipe.generator.resolutions
    assert stages[-1].shape == (
        recipe.config.learning.batch_size,
        3,
        recipe.config.resolution,
        recipe.config.resolution,
    )


def test_gradients_reach_every_weight_and_only_their_own_network(
    recipe: Recipe, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)
    assert loss.shape == () and all(part.shape == () for part in parts.values())
    loss.backward()
    assert all(weight.grad is None for weight in recipe.generator.parameters())
    assert not without_gradient(recipe.discriminator)

    recipe.discriminator.requires_grad_(False)
    loss, parts = recipe.generator_loss(batch, passed)
    assert loss.shape == () and all(part.shape == () for part in parts.values())
    loss.backward()
    assert not without_gradient(recipe.generator)


def without_gradient(network: nn.Module) -> list[str]:
    weights = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    assert weights
    return [name for name, weight in weights if weight.grad is None or not weight.grad.abs().sum() > 0]


def test_optimizers_hold_every_trainable_weight_once(recipe: Recipe) -> None:
    networks = {"generator": recipe.generator, "discriminator": recipe.discriminator}
    optimizers = recipe.optimizers()
    assert optimizers.keys() == networks.keys()
    for name, network in networks.items():
        held = [id(weight) for group in optimizers[name].param_groups for weight in group["params"]]
        trainable = [id(weight) for weight in network.parameters() if weight.requires_grad]
        assert sorted(held) == sorted(trainable)


def test_what_is_saved_draws_the_same_when_loaded(
    name: str, recipe: Recipe, context: BuildContext, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    file = io.BytesIO()
    torch.save(recipe.generator.state_dict(), file)
    other = build(name, context, seed=1)
    before = draw(other, batch)
    file.seek(0)
    other.generator.load_state_dict(torch.load(file, weights_only=True))
    for stage, saved, unloaded in zip(draw(other, batch), draw(recipe, batch), before, strict=True):
        assert torch.equal(stage, saved)
        assert not torch.equal(stage, unloaded)


def test_onnx_graph_draws_what_torch_does(
    name: str, recipe: Recipe, context: BuildContext, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    with torch.no_grad():  # batch normalisation has statistics, as after some training
        for _ in range(20):
            recipe.generate(recipe.generator.train(), batch)
    output = draw_all(recipe, batch)
    whole = [stage.numpy() for stage in (*output.images, *output.attention)]
    # Before the export: it must not change the weights it is given.
    exported = generator_to_onnx(recipe.generator, context.text_dim, batch.text.mask.shape[1])
    assert exported.resolutions == recipe.generator.resolutions
    assert np.array_equal(draw(recipe, batch)[0].numpy(), whole[0])
    with torch.no_grad():
        for tensor in recipe.generator.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
    output = draw_all(recipe, batch)
    halved = [stage.numpy() for stage in (*output.images, *output.attention)]

    session = ort.InferenceSession(exported.graph, providers=["CPUExecutionProvider"])
    values = {"noise": batch.noise, **batch.text._asdict()}
    names = [value.name for value in session.get_inputs()]
    assert ("words" in names) == find_recipe(name).uses_words
    outputs = [f"image_{resolution}" for resolution in exported.resolutions]
    outputs += [f"attention_{resolution}" for resolution in exported.attention_resolutions]
    for rows in (slice(0, 3), slice(1, 2)):  # any number of pictures
        inputs = {name: values[name][rows].numpy() for name in names}
        for ours, half, full in zip(session.run(outputs, inputs), halved, whole, strict=True):
            np.testing.assert_allclose(ours, half[rows], atol=2e-3)
            np.testing.assert_allclose(ours, full[rows], atol=2e-2)
    num_weights = sum(tensor.numel() for tensor in recipe.generator.state_dict().values())
    assert len(exported.graph) <= 2 * num_weights + GRAPH_BYTES


def test_every_field_of_every_preset_has_a_docstring(name: str) -> None:
    for preset in find_recipe(name).presets.values():
        missing = list(undocumented(type(preset)))
        missing += [
            entry
            for field in fields(preset)
            if is_dataclass(inner := getattr(preset, field.name))
            for entry in undocumented(type(inner))
        ]
        assert not missing


def undocumented(kind: type) -> list[str]:
    [body] = [node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)]
    return [
        f"{kind.__name__}.{ast.unparse(node.target)}"
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign) and not is_docstring(after)
    ]


def is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def test_unknown_recipe_and_preset_are_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(TrainingError, match=rf"unknown recipe 'dalle': there are .*{name}"):
        find_recipe("dalle")
    with pytest.raises(TrainingError, match=rf"{name} has no preset 'huge': there are .*compact, debug"):
        find_preset(find_recipe(name), "huge")

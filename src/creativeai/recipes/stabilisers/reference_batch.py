"""The fixed batch that virtual batch normalisation measures every other example by."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.across_processes import gathered_in_order
from creativeai.models.layers.virtual_batch_norm import reference_rows

__all__ = ["ReferenceBatch", "ReferencePairs", "generate_with_reference"]

_NAMES = ("images", "noise", "sentence", "words", "mask")


class ReferencePairs(NamedTuple):
    """The reference batch as one discriminator takes it."""

    images: Tensor
    """[N, 3, R, R] at its resolution."""
    condition: Tensor
    """[N, K] made of the reference captions by the present networks."""


class ReferenceBatch(nn.Module):
    """Keeps the first examples that it is shown, as buffers: part of the networks, they are checkpointed.

    Args:
        size: N, how many.
    """

    images: Tensor
    """[N, 3, R, R] real pictures."""
    noise: Tensor
    """[N, Z]."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        for name in _NAMES:
            self.register_buffer(name, torch.empty(0))
        self.register_load_state_dict_pre_hook(_take_shapes)

    @property
    def text(self) -> TextTensors:
        """The captions of the pictures, [N]."""
        return TextTensors(*(self.get_buffer(name) for name in _NAMES[2:]))

    @torch.no_grad()
    def fill(self, images: Tensor, noise: Tensor, text: TextTensors) -> None:
        """Keep the first examples of the batch of all processes, if nothing is kept yet.

        Raises:
            ValueError: The batch is smaller than the reference.
        """
        if len(self.images):
            return
        batch = [gathered_in_order(tensor) for tensor in (images, noise, *text)]
        if len(batch[0]) < self.size:
            raise ValueError(f"a batch of {len(batch[0])} is too small for a reference of {self.size}")
        for name, tensor in zip(_NAMES, batch, strict=True):
            self.register_buffer(name, tensor[: self.size].detach().clone())


def _take_shapes(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """What is loaded may be filled where the module is still empty."""
    for name in _NAMES:
        if (saved := state.get(prefix + name)) is not None:
            module.register_buffer(name, torch.empty_like(saved, device=module.get_buffer(name).device))


def generate_with_reference(
    generator: Callable[..., GeneratorOutput],
    network: nn.Module,
    noise: Tensor,
    text: TextTensors,
    reference: ReferenceBatch,
) -> GeneratorOutput:
    """One pass of a generator with virtual batch normalisation on the reference and a batch.

    Args:
        generator: The network or its compiled form.
        network: The network itself.
        noise: [B, Z].
        text: Captions [B].
        reference: A filled one of N examples.

    Returns:
        What the generator makes of the batch [B]; the reference's is left out.
    """
    num = len(reference.noise)
    with reference_rows(network, num):
        output = generator(
            torch.cat([reference.noise, noise]),
            TextTensors(*(torch.cat(pair) for pair in zip(reference.text, text, strict=True))),
        )
    return GeneratorOutput(
        images=tuple(image[num:] for image in output.images),
        attention=tuple(attention[num:] for attention in output.attention),
        mean=None if output.mean is None else output.mean[num:],
        log_variance=None if output.log_variance is None else output.log_variance[num:],
    )

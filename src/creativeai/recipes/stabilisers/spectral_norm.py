"""Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957)."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination

__all__ = ["apply_spectral_norm"]

_LINEAR_MAPS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    MinibatchDiscrimination,
)


def apply_spectral_norm(network: nn.Module) -> None:
    """Hold the largest singular value of every trainable linear map of the network at 1.

    Maps that are parametrised already are left as they are, so that a second call changes nothing. Call it
    before the optimiser is made: the weights become other parameters.
    """
    for module in network.modules():
        is_plain = isinstance(module, _LINEAR_MAPS) and not is_parametrized(module, "weight")
        if is_plain and module.weight.requires_grad:
            spectral_norm(module)

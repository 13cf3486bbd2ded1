"""How each paper sets its networks' first weights: functions for `nn.Module.apply`."""

from torch import nn

__all__ = ["init_gan_cls", "init_he", "init_orthogonal", "init_stackgan"]

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def init_gan_cls(module: nn.Module) -> None:
    """GAN-CLS: convolutions N(0, .02), scales of normalisations N(1, .02); linear layers as in torch."""
    if isinstance(module, _CONVOLUTIONS):
        nn.init.normal_(module.weight, std=0.02)
    else:
        _init_normalisation(module)


def init_stackgan(module: nn.Module) -> None:
    """StackGAN: convolutions and linear layers N(0, .02), scales of normalisations N(1, .02)."""
    if isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
        nn.init.normal_(module.weight, std=0.02)
        _zero_linear_bias(module)
    else:
        _init_normalisation(module)


def init_orthogonal(module: nn.Module) -> None:
    """StackGAN-v2 and AttnGAN: orthogonal weights, scales of normalisations N(1, .02)."""
    if isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
        nn.init.orthogonal_(module.weight)
        _zero_linear_bias(module)
    else:
        _init_normalisation(module)


def init_he(module: nn.Module) -> None:
    """WGAN-CLS: He et al.'s normal weights (arXiv:1502.01852), biases 0."""
    if isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _zero_linear_bias(module: nn.Module) -> None:
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _init_normalisation(module: nn.Module) -> None:
    weight = getattr(module, "weight", None)
    # Only a normalisation, batch or virtual, has one weight for each channel.
    if isinstance(weight, nn.Parameter) and weight.dim() == 1:
        nn.init.normal_(weight, mean=1.0, std=0.02)

"""`creativeai import`: one command for each published model, thin: parse, call, print."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from creativeai.importers.options import BundleOptions

__all__ = ["import_app"]

import_app = typer.Typer(
    help="Make bundles and text encoders of published checkpoints.", no_args_is_help=True
)


class UnknownCharactersChoice(StrEnum):
    """What a character CNN-RNN does with capitals and unknown characters."""

    port = "port"
    lua = "lua"


Generator = Annotated[Path, typer.Option(help="The published file of the generator (netG).")]
DamsmText = Annotated[Path, typer.Option(help="AttnGAN's text_encoder...pth.")]
CharText = Annotated[Path, typer.Option(help="The character CNN-RNN's lm_sje_...t7.")]
Captions = Annotated[Path, typer.Option(help="The captions.pickle that the text encoder was trained with.")]
Characters = Annotated[
    UnknownCharactersChoice,
    typer.Option(help="port: capitals become small, unknown characters spaces. lua: both are left out."),
]
Bundle = Annotated[Path, typer.Option("-o", "--out", help="Bundle to make.")]
Folder = Annotated[Path, typer.Option("-o", "--out", help="Folder to make.")]
Name = Annotated[Optional[str], typer.Option(help="The model's name; by default the bundle folder's.")]
Title = Annotated[Optional[str], typer.Option(help="One line that says what it is.")]
Licence = Annotated[Optional[str], typer.Option(help="Licence of weights and pictures, if you know it.")]
Description = Annotated[Optional[str], typer.Option(help="What it draws, and what it can't.")]
Examples = Annotated[
    Optional[list[str]],
    typer.Option("--example", help="A sentence to offer on the page; may be given several times."),
]
Truncation = Annotated[float, typer.Option(min=0, max=1, help="Variety used unless asked otherwise.")]


def _add_model_of_words(recipe: str, told: str) -> None:
    """The command of a model that reads AttnGAN's text encoder; they differ in nothing but the network."""

    def command(
        generator: Generator,
        text_encoder: DamsmText,
        captions: Captions,
        out: Bundle,
        name: Name = None,
        title: Title = None,
        licence: Licence = None,
        description: Description = None,
        example: Examples = None,
        truncation: Truncation = 1.0,
    ) -> None:
        options = _options(out, name, title, licence, description, example, truncation)
        _import_model(recipe, generator, text_encoder, captions, out, options)

    import_app.command(recipe, help=told)(command)


def _add_model_of_characters(recipe: str, told: str) -> None:
    """The same of a model that reads a character CNN-RNN."""

    def command(
        generator: Generator,
        text_encoder: CharText,
        out: Bundle,
        unknown_characters: Characters = UnknownCharactersChoice.port,
        name: Name = None,
        title: Title = None,
        licence: Licence = None,
        description: Description = None,
        example: Examples = None,
        truncation: Truncation = 1.0,
    ) -> None:
        options = _options(out, name, title, licence, description, example, truncation)
        _import_model(recipe, generator, text_encoder, None, out, options, unknown_characters)

    import_app.command(recipe, help=told)(command)


_add_model_of_words("attngan", "AttnGAN or AttnDCGAN, of birds or COCO.")
_add_model_of_words("df_gan", "DF-GAN, whose weights are for non-commercial use only.")
_add_model_of_characters("stackgan_v2", "StackGAN-v2 (StackGAN++).")
_add_model_of_characters("stackgan_stage1", "Stage I of StackGAN's PyTorch code.")
_add_model_of_characters("stackgan_stage2", "Stage II of StackGAN's PyTorch code, with its first stage.")


@import_app.command("damsm")
def import_damsm_encoder(
    text_encoder: DamsmText,
    captions: Captions,
    out: Folder,
    image_encoder: Annotated[
        Optional[Path],
        typer.Option(help="AttnGAN's image_encoder...pth, to guide `train attngan`."),
    ] = None,
    title: Title = None,
    licence: Licence = None,
) -> None:
    """AttnGAN's text encoder, as the folder that `creativeai train --text-encoder` takes."""
    _prepare()
    from creativeai.importers.encoder import import_damsm

    import_damsm(text_encoder, image_encoder, captions, out, title, licence)
    print(out)


@import_app.command("char_cnn_rnn")
def import_char_cnn_rnn_encoder(
    file: Annotated[Path, typer.Argument(help="The published lm_sje_...t7.")],
    out: Folder,
    unknown_characters: Characters = UnknownCharactersChoice.port,
    title: Title = None,
    licence: Licence = None,
) -> None:
    """Reed's character CNN-RNN, as the folder that `creativeai train --text-encoder` takes."""
    _prepare()
    from creativeai.importers.encoder import import_char_cnn_rnn

    import_char_cnn_rnn(file, unknown_characters.value, out, title, licence)
    print(out)


def _options(
    out: Path,
    name: str | None,
    title: str | None,
    licence: str | None,
    description: str | None,
    examples: list[str] | None,
    truncation: float,
) -> BundleOptions:
    return BundleOptions(
        name=name or out.name,
        title=title,
        licence=licence,
        description=description,
        examples=tuple(examples or ()),
        default_truncation=truncation,
    )


def _import_model(
    recipe: str,
    generator: Path,
    text_encoder: Path,
    captions: Path | None,
    out: Path,
    options: BundleOptions,
    unknown_characters: UnknownCharactersChoice = UnknownCharactersChoice.port,
) -> None:
    _prepare()
    from creativeai.bundles.writer import refuse_existing
    from creativeai.importers.bundle import write_imported
    from creativeai.importers.published import published_model

    refuse_existing(out)
    model = published_model(recipe, generator, text_encoder, captions, unknown_characters.value)
    print(write_imported(model, out, options).path)


def _prepare() -> None:
    from creativeai.training.command import set_process_policy

    set_process_policy()

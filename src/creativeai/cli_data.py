"""`creativeai data`: one command for each step from published files or a folder to a dataset, thin."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from creativeai.data import CaptionedImages

__all__ = ["data_app"]

data_app = typer.Typer(help="Fetch, prepare and look at captioned pictures.", no_args_is_help=True)


@data_app.command("download")
def download_data(
    name: Annotated[str, typer.Argument(help="cub200 or oxford102.")],
    folder: Annotated[Path, typer.Argument(help="Where the files go; run it again to go on.")],
) -> None:
    """Fetch a published dataset's files from their official addresses."""
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from creativeai.data.download import download
    from creativeai.data.official import after_download, find_official

    offered = find_official(name)
    print(f"{offered.title}: {offered.num_bytes / 1e6:,.0f} MB into {folder}", file=sys.stderr)
    console = Console(stderr=True)
    hidden = not console.is_terminal
    columns = (
        *Progress.get_default_columns()[:2],
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        tasks = {file.name: bar.add_task(file.name, total=file.num_bytes) for file in offered.files}
        files = download(
            offered.files,
            folder,
            lambda name, done, total: bar.update(tasks[name], completed=done, total=total),
        )
    for file in files:
        print(file)
    for line in after_download(name, folder):
        print(line, file=sys.stderr)


@data_app.command("prepare")
def prepare_data(
    source: Annotated[
        str,
        typer.Argument(
            help="Path of a folder of captioned pictures, or folder, birds, flowers, toybirds, cub200, "
            "oxford102, coco, flickr, attngan, stackgan, webdataset, parquet, text_files."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    root: Annotated[
        Optional[Path], typer.Option("--from", help="Folder or archive with the source's files.")
    ] = None,
    resolutions: Annotated[str, typer.Option(help="Side lengths in pixels, with commas.")] = "32,64,128,256",
    num: Annotated[Optional[int], typer.Option(help="Use only so many pictures; all when left out.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of pictures, and of drawn ones.")] = 0,
    split: Annotated[
        str, typer.Option(help="pictures, or classes: no class in two of train, validation and test.")
    ] = "pictures",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out pictures that can't be used.")
    ] = False,
) -> None:
    """Make a dataset for training from captioned pictures."""
    from rich.console import Console

    from creativeai.data import CaptionedImages
    from creativeai.data.prepare import parse_resolutions, prepare, split_by_class
    from creativeai.data.preparing import shown_progress

    with shown_progress(Console(stderr=True), source, out) as shown:
        prepared = prepare(
            source,
            out,
            root=root,
            resolutions=parse_resolutions(resolutions),
            num_pictures=num,
            seed=seed,
            skip_bad=skip_bad,
            by_class=split_by_class(split),
            progress=shown.pictures,
            search_progress=shown.search,
        )
    for line in prepared.report():
        print(line)
    print(_readable(CaptionedImages.open(prepared.path)))


@data_app.command("show")
def show_data(
    path: Annotated[Path, typer.Argument(help="A folder made by `creativeai data prepare`.")],
    sheet: Annotated[
        Optional[Path], typer.Option(help="Also write a contact sheet with captions: FILE.png or FILE.webp.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Number of pictures on the sheet.")] = 24,
) -> None:
    """Show what a prepared dataset has."""
    from rich.console import Console

    from creativeai.data import CaptionedImages
    from creativeai.data.show import dataset_table, write_contact_sheet

    dataset = CaptionedImages.open(path)
    Console().print(dataset_table(dataset))
    print(_readable(dataset))
    if sheet is not None:
        write_contact_sheet(dataset, sheet, n)
        print(sheet)


def _readable(dataset: "CaptionedImages") -> str:
    """How many captions have no word that MiniLM, the usual text encoder, knows."""
    from creativeai.data.readable import unreadable_captions
    from creativeai.text import load_text_encoder

    encoder = load_text_encoder("minilm")
    return unreadable_captions(dataset.records, encoder.num_known_words).line("MiniLM")

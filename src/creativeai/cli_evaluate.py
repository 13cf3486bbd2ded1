"""`creativeai evaluate` and `creativeai compare`, thin: parse, call, print."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from creativeai.cli_store import STORE_VARIABLE
from creativeai.errors import StoreError

__all__ = ["compare", "evaluate"]


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Name or folder of each model, or NAME@VERSION of one in the store."
        ),
    ],
    data: Annotated[Path, typer.Option(help="Folder made by `creativeai data prepare`.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to make: cards, grids and a page.")],
    num: Annotated[
        Optional[int],
        typer.Option("-n", "--num", min=2, help="Pictures to draw; by default as many as there are photos."),
    ] = None,
    split: Annotated[str, typer.Option(help="Photos to measure with: test or validation.")] = "test",
    truncation: Annotated[
        float, typer.Option(min=0, max=1, help="Variety of every model, whatever its own default.")
    ] = 1.0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of the pictures and of every draw.")
    ] = 0,
    inception: Annotated[
        Optional[Path],
        typer.Option(help="pt_inception-2015-12-05-6726825d.pth, for FID and Inception Score."),
    ] = None,
    damsm: Annotated[
        Optional[Path], typer.Option(help="Folder of an exported DAMSM, for R-precision by it.")
    ] = None,
    store: Annotated[
        Optional[str], typer.Option(envvar=STORE_VARIABLE, help="Folder or URL of a model store.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the report that is there.")] = False,
) -> None:
    """Measure models on a dataset's test photos: one report with every figure beside that of real photos."""
    from creativeai.training.command import set_process_policy

    set_process_policy()
    from rich.console import Console

    from creativeai.evaluation.command import EvaluateCommand, evaluate_models
    from creativeai.evaluation.compare_table import figures_table, print_whole

    command = EvaluateCommand(
        models=tuple(_bundle_folder(model, store) for model in models),
        data=data,
        out=out,
        num_pictures=num,
        split=split,
        truncation=truncation,
        seed=seed,
        inception=inception,
        damsm=damsm,
        force=force,
    )
    cards, labels = evaluate_models(command, Console(stderr=True))
    print_whole(Console(), figures_table(cards, labels))
    print(out)


def compare(
    cards: Annotated[
        list[Path],
        typer.Argument(metavar="CARD...", help="Cards, or folders of reports and of models that have one."),
    ],
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="PAGE.html to write.")] = None,
) -> None:
    """Show models that were measured alike side by side; refuse cards of unlike protocol."""
    from rich.console import Console

    from creativeai.evaluation.compare import find_cards, labels_of, read_compared, refuse_unlike
    from creativeai.evaluation.compare_page import write_page
    from creativeai.evaluation.compare_table import figures_table, print_whole

    compared = read_compared(find_cards(cards))
    refuse_unlike(compared)
    print_whole(Console(), figures_table([one.card for one in compared], labels_of(compared)))
    if out is not None:
        write_page(compared, out)
        print(out)


def _bundle_folder(model: str, store: str | None) -> Path:
    """Folder of a model's bundle; of one in the store, after it is copied to the cache.

    Raises:
        UserError: There is no such model, or it can't be fetched.
    """
    from creativeai.bundles import find_bundle

    if "@" not in model or Path(model).exists():
        return find_bundle(model)
    from creativeai.store import find_version, open_store
    from creativeai.store.pulling import default_cache, pull_to_cache
    from creativeai.store.records import parse_reference

    if store is None:
        raise StoreError(f"{model} is a version in a store: say which, --store or {STORE_VARIABLE}")
    storage = open_store(store)
    return pull_to_cache(storage, find_version(storage, parse_reference(model)), default_cache())

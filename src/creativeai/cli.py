"""The `creativeai` command: one Typer command per verb, thin: parse, call, print.

Heavy modules are imported inside the commands, so that `creativeai generate` starts within a fraction of a
second.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from creativeai.cli_data import data_app
from creativeai.cli_evaluate import compare, evaluate
from creativeai.cli_import import import_app
from creativeai.cli_serve import demo, serve, web
from creativeai.cli_store import store_app
from creativeai.errors import UserError

app = typer.Typer(
    name="creativeai",
    help="A sentence in, a picture out: text-to-image GANs you train, compare and serve yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(import_app, name="import")
app.add_typer(store_app, name="store")
for command in (serve, web, demo, evaluate, compare):
    app.command()(command)


@app.command()
def generate(
    text: Annotated[Optional[str], typer.Argument(help="What the picture shows, in English.")] = None,
    n: Annotated[int, typer.Option("-n", help="Number of pictures, 1 to 64.")] = 1,
    seed: Annotated[
        Optional[int],
        typer.Option(help="Makes the same pictures again; random when left out, 0 with --captions."),
    ] = None,
    model: Annotated[
        Optional[str], typer.Option(help="Name (see `creativeai models`) or folder of a model.")
    ] = None,
    truncation: Annotated[
        Optional[float], typer.Option(help="0 is the model's most typical picture, 1 its full variety.")
    ] = None,
    output: Annotated[
        Optional[str],
        typer.Option(
            "-o", "--out", help="FILE.png, .webp or .jpg, a grid if n > 1; or FOLDER/ for single files."
        ),
    ] = None,
    stages: Annotated[
        bool, typer.Option("--stages", help="Each picture as a row of all the model's stages.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Also show them in the terminal.")] = False,
    captions: Annotated[
        Optional[Path],
        typer.Option(help="Draw n pictures of each line of this file into a folder, or into NAME.tar files."),
    ] = None,
    shard: Annotated[
        str, typer.Option(help="i/n: draw the i-th of n parts; several processes share the work so.")
    ] = "1/1",
) -> None:
    """Make pictures of what a text says, or of every caption of a file."""
    if captions is not None:
        if text is not None or output is None or stages or preview:
            raise UserError("--captions needs --out FOLDER or NAME.tar, and no text, --stages or --preview")
        from creativeai.engine.bulk import BulkCommand, draw_share

        draw_share(BulkCommand(captions, output, n, seed or 0, truncation, shard), model)
        return
    if text is None:
        raise UserError("say what the picture shows, or give a file of captions: --captions FILE")
    import creativeai
    from creativeai.engine.saving import destination_of, make_grid, save_images

    destination = destination_of(output)
    loaded = creativeai.load(model, num_threads=os.cpu_count() or 1)
    images = loaded.generate(text, n, seed, truncation, stages)
    for file in save_images(images, destination):
        print(file)
    seeds = " to ".join(str(image.info["seed"]) for image in images[:: max(1, n - 1)])
    print(f"model {loaded.name}, seed {seeds}", file=sys.stderr)
    if unknown := loaded.unknown_words(images[0].info["text"]):
        print(f"hint: {loaded.name} can't use these words: {', '.join(unknown)}", file=sys.stderr)
    if preview:
        from rich.console import Console

        from creativeai.engine.preview import print_preview

        print_preview(make_grid(images), Console())


@app.command()
def models() -> None:
    """List the models known here."""
    from rich.console import Console

    from creativeai.bundles.listing import bundle_table

    Console().print(bundle_table())


@app.command()
def train(
    recipe: Annotated[
        Optional[str], typer.Argument(help="What to train, e.g. projected_gan, attngan or damsm.")
    ] = None,
    data: Annotated[Optional[Path], typer.Option(help="Folder made by `creativeai data prepare`.")] = None,
    preset: Annotated[
        str, typer.Option(help="compact, debug, or another of the recipe's presets.")
    ] = "compact",
    minutes: Annotated[Optional[float], typer.Option(min=0, help="Stop after so many minutes.")] = None,
    cpu_minutes: Annotated[
        Optional[float],
        typer.Option(min=0, help="Stop after so many minutes of processor time, all cores together."),
    ] = None,
    steps: Annotated[Optional[int], typer.Option(min=1, help="Stop at this step.")] = None,
    settings: Annotated[
        Optional[list[str]],
        typer.Option("--set", help="field=value of the preset; may be given several times."),
    ] = None,
    resume: Annotated[Optional[Path], typer.Option(help="Go on with this run.")] = None,
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="The run's folder.")] = None,
    start_from: Annotated[
        Optional[Path], typer.Option(help="Take the first weights from this run, where they fit.")
    ] = None,
    text_encoder: Annotated[
        str, typer.Option(help="minilm, or the folder of a text encoder of your own.")
    ] = "minilm",
    first_stage: Annotated[
        Optional[Path], typer.Option(help="Run of the generator that a second stage builds upon.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of weights, noise and data order.")
    ] = 0,
    sample_steps: Annotated[int, typer.Option(min=1, help="Steps between two sample grids.")] = 500,
    measure_minutes: Annotated[float, typer.Option(min=0, help="Minutes between two measurements.")] = 15.0,
    compile: Annotated[
        Optional[bool], typer.Option("--compile/--no-compile", help="By default as the machine allows.")
    ] = None,
) -> None:
    """Train a model, or go on with a run; Ctrl-C saves everything."""
    from creativeai.training.command import TrainCommand, run_training

    command = TrainCommand(
        recipe=recipe,
        data=data,
        preset=preset,
        num_steps=steps,
        minutes=minutes,
        cpu_minutes=cpu_minutes,
        settings=tuple(settings or ()),
        resume=resume,
        out=out,
        start_from=start_from,
        text_encoder=text_encoder,
        first_stage=first_stage,
        seed=seed,
        sample_steps=sample_steps,
        measure_minutes=measure_minutes,
        use_compile=compile,
    )
    run_training(command)


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="Where the runs are.")] = Path("runs"),
) -> None:
    """List training runs and their state: training, resumable or done."""
    from creativeai.training.command import set_process_policy

    set_process_policy()
    from rich.console import Console

    from creativeai.training.runs_table import runs_table

    Console().print(runs_table(folder))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Bundle to make.")],
    name: Annotated[
        Optional[str], typer.Option(help="The model's name; by default the bundle folder's.")
    ] = None,
    title: Annotated[Optional[str], typer.Option(help="One line that says what it is.")] = None,
    description: Annotated[Optional[str], typer.Option(help="What it draws, and what it can't.")] = None,
    example: Annotated[
        Optional[list[str]], typer.Option(help="A sentence to offer on the page; may be given several times.")
    ] = None,
    truncation: Annotated[
        float, typer.Option(min=0, max=1, help="Variety used unless asked otherwise.")
    ] = 1.0,
    newest: Annotated[
        bool, typer.Option("--newest", help="The newest checkpoint instead of the best.")
    ] = False,
) -> None:
    """Measure a run's model and write it as a bundle that engine, server and page read.

    Of a text encoder's run, write the folder that `creativeai train --text-encoder` takes.
    """
    from creativeai.training.command import set_process_policy

    set_process_policy()
    from rich.console import Console

    from creativeai.bundles.encoder_export import export_encoder_run
    from creativeai.bundles.export import ExportOptions, export_run
    from creativeai.recipes.registry import is_encoder
    from creativeai.training.run import open_run

    opened = open_run(run)
    if is_encoder(opened.recipe):
        export_encoder_run(opened, out, Console(stderr=True), newest=newest)
        print(out)
        return
    options = ExportOptions(
        name=name or out.name,
        title=title,
        description=description,
        examples=tuple(example or ()),
        default_truncation=truncation,
        use_newest=newest,
    )
    bundle = export_run(opened, out, options, Console(stderr=True))
    print(bundle.path)


def main() -> None:
    """Run the command line; a `UserError` becomes one line on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"creativeai: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

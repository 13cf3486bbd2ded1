"""The `creativeai` command: one Typer command per verb, thin: parse, call, print.

Heavy modules are imported inside the commands, so that `creativeai generate` starts within a fraction of a second.
"""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from creativeai.errors import UserError

app = typer.Typer(
    name="creativeai",
    help="A sentence in, a picture out: text-to-image GANs you train, compare and serve yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Prepare and look at captioned pictures.", no_args_is_help=True)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line; a `UserError` becomes one line on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"creativeai: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

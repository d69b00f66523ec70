"""The command line, `upshot`: one file per noun. Exit codes: 0 it worked, 1 it did not, 2 it was asked wrongly."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code. Errors are said on stderr with their cause and remedy, never as a traceback
    unless the fault is our own."""
    from upshot.cli.commands import app

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="upshot")
    except Exception as error:
        from upshot.cli.output import report
        from upshot.core.errors import UpshotError
        from upshot.store.health import unusable

        known = error if isinstance(error, UpshotError | OSError) else unusable(error)
        if known is None:
            raise
        report(known, as_json="--json" in given)
        sys.exit(1)

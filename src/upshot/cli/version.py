"""`upshot version`."""

from upshot.cli import options


def version(*, as_json: options.Json = False) -> None:
    """Which release this is."""
    from importlib.metadata import version as installed

    from upshot.cli.output import show, show_json

    if as_json:
        show_json({"version": installed("upshot")})
    else:
        show(f"upshot {installed('upshot')}")

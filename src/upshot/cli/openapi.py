"""`upshot openapi`: the API's description, for generators of clients."""

from upshot.cli import options


def openapi(*, as_json: options.Json = False) -> None:
    """Print the OpenAPI document of the HTTP API. It is JSON with and without --json."""
    import json

    from upshot.cli.output import show_json
    from upshot.http import openapi as document

    if as_json:
        show_json(document.schema())
    else:
        print(json.dumps(document.schema(), indent=2))

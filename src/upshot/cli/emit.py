"""`upshot emit`: give one event."""

from typing import Annotated, Any

import typer

from upshot.cli import options


def emit(
    *,
    name: Annotated[str, typer.Argument(help="The event's name, like crm/appointment.created.")],
    data: Annotated[
        str, typer.Argument(metavar="JSON", help="Its data, an object; - reads it from the standard input.")
    ] = "{}",
    tenant: options.Tenant = options.DEFAULT_TENANT,
    event_id: Annotated[
        str | None, typer.Option("--id", help="Its id: the same id again is not another event.")
    ] = None,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Emit one event. It is kept when this returns; a running engine matches it within a second."""
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json
    from upshot.core.errors import Refused

    given = read_json(data, "data")
    if not isinstance(given, dict):
        raise Refused.at("data", "is an object", "wrong_type")
    envelope: dict[str, Any] = {"name": name, "data": given, **({"id": event_id} if event_id is not None else {})}
    with opened(database) as upshot:
        upshot.tenants.get(tenant)
        accepted = upshot.events.accept(tenant, [envelope])[0]
    if as_json:
        show_json({"id": accepted.event.public_id, "duplicate": accepted.duplicate})
    else:
        show(f"{accepted.event.public_id}{' was accepted before' if accepted.duplicate else ''}")

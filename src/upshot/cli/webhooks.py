"""`upshot webhooks`: addresses at which other systems tell what happened."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from upshot.cli import options

commands = typer.Typer(help="Webhooks: addresses at which other systems tell what happened.", no_args_is_help=True)
WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]
SecretFrom = Annotated[
    str | None,
    typer.Option("--secret-from", metavar="FILE", help="A file with the vendor's secret; - reads the standard input."),
]


@commands.command("list")
def list_(
    *,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Webhooks, newest first, without tokens and secrets."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table

    with opened(database) as upshot:
        page = upshot.webhooks.page(tenant, limit=limit)
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "name": "NAME",
        "event": "EVENT",
        "signature.scheme": "SIGNED",
        "enabled": "ENABLED",
        "last_received_at": "LAST",
    }
    show_table(page.items, columns, "There are no webhooks. Make one with `upshot webhooks create`.")


@commands.command()
def create(
    *,
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    signature: Annotated[
        str, typer.Option("--signature", help="standard, github, stripe, shopify, slack, hmac or none.")
    ],
    event: Annotated[str, typer.Option("--event", help="The name of its events, or what stands before it.")] = "",
    name_from: Annotated[
        str | None, typer.Option("--name-from", help="Where a delivery names its event: header:NAME or field:PATH.")
    ] = None,
    data_from: Annotated[
        str, typer.Option("--data-from", help="Where the data stand in the body; else all of it.")
    ] = "",
    id_from: Annotated[
        str | None, typer.Option("--id-from", help="What tells deliveries apart: header:NAME or field:PATH.")
    ] = None,
    header: Annotated[str, typer.Option("--header", help="Of hmac: the header of the signature.")] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="Of hmac: hex or base64.")] = "hex",
    prefix: Annotated[str, typer.Option("--prefix", help="Of hmac: what stands before the signature.")] = "",
    timestamp_header: Annotated[
        str, typer.Option("--timestamp-header", help="Of hmac: the header of the signed time.")
    ] = "",
    secret_from: SecretFrom = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Make a webhook. Its address, and its secret if one was made, are printed this once."""
    from upshot.cli.opening import opened

    document = {
        "name": name,
        "event": event,
        "name_from": name_from,
        "data_from": data_from,
        "id_from": id_from,
        "signature": {
            "scheme": signature,
            "header": header,
            "encoding": encoding,
            "prefix": prefix,
            "timestamp_header": timestamp_header,
        },
    }
    with opened(database) as upshot:
        made = upshot.webhooks.create(tenant, document, secret=_secret(secret_from), actor=options.ACTOR)
    _show_once(made, as_json=as_json)


@commands.command()
def show(
    *,
    webhook_id: WebhookId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One webhook, without its token and secret."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        item = upshot.webhooks.get(tenant, webhook_id)
    if as_json:
        output.show_json(item)
    else:
        output.show_fields(item)


@commands.command()
def change(
    *,
    webhook_id: WebhookId,
    name: Annotated[str | None, typer.Option("--name", help="What it is for.")] = None,
    event: Annotated[
        str | None, typer.Option("--event", help="The name of its events, or what stands before it.")
    ] = None,
    name_from: Annotated[
        str | None, typer.Option("--name-from", help="Where a delivery names its event; empty for nowhere.")
    ] = None,
    data_from: Annotated[
        str | None, typer.Option("--data-from", help="Where the data stand in the body; empty for all of it.")
    ] = None,
    id_from: Annotated[
        str | None, typer.Option("--id-from", help="What tells deliveries apart; empty for what the vendor says.")
    ] = None,
    enabled: Annotated[
        bool | None,
        typer.Option("--enabled/--disabled", help="Whether it receives; disabled it is as if there were none."),
    ] = None,
    header: Annotated[str | None, typer.Option("--header", help="Of hmac: the header of the signature.")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="Of hmac: hex or base64.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="Of hmac: what stands before the signature.")] = None,
    timestamp_header: Annotated[
        str | None, typer.Option("--timestamp-header", help="Of hmac: the header of the signed time.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, help="Only if it is still at this revision.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Change these settings; the others, its address and its secret stay."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    changes = _given(name=name, event=event, data_from=data_from, enabled=enabled)
    changes |= {field: value or None for field, value in _given(name_from=name_from, id_from=id_from).items()}
    signing = _given(header=header, encoding=encoding, prefix=prefix, timestamp_header=timestamp_header)
    with opened(database) as upshot:
        if signing:
            present = upshot.webhooks.get(tenant, webhook_id)
            changes["signature"], revision = {**present["signature"], **signing}, revision or present["revision"]
        item = upshot.webhooks.save(tenant, webhook_id, changes, revision=revision, actor=options.ACTOR)
    if as_json:
        output.show_json(item)
    else:
        output.show(f"Webhook {webhook_id} is at revision {item['revision']}.")


@commands.command()
def rotate(
    *,
    webhook_id: WebhookId,
    what: Annotated[str, typer.Option("--what", help="token or secret.")],
    overlap_seconds: Annotated[
        int, typer.Option("--overlap-seconds", min=0, help="How long what it replaces still works.")
    ] = 86_400,
    secret_from: SecretFrom = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Make a new token or secret. What it replaces works for a day longer, or as told."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        rotated = upshot.webhooks.rotate(
            tenant,
            webhook_id,
            what,
            secret=_secret(secret_from),
            overlap_seconds=overlap_seconds,
            actor=options.ACTOR,
        )
    _show_once(rotated, as_json=as_json)


@commands.command()
def delete(
    *,
    webhook_id: WebhookId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Delete a webhook: it receives nothing any more."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json

    with opened(database) as upshot:
        upshot.webhooks.delete(tenant, webhook_id, actor=options.ACTOR)
    if as_json:
        show_json({"id": webhook_id, "deleted": True})
    else:
        show(f"Webhook {webhook_id} is deleted.")


def _given(**options: Any) -> dict[str, Any]:
    """Those of these that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _secret(name: str | None) -> str | None:
    """A secret is never an argument: those are seen by everybody on the machine."""
    from upshot.core.errors import Refused

    if name is None:
        return None
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused.at("--secret-from", f"{name} cannot be read: {error}", "unreadable") from error
    return text.strip()


def _show_once(shown: dict[str, Any], *, as_json: bool) -> None:
    from upshot.cli.output import show, show_json

    if as_json:
        show_json(shown)
        return
    typer.echo(f"The webhook {shown['name']!r} ({shown['id']}); this is shown this once:", err=True)
    for name in ("url", "secret"):
        if shown[name] is not None:
            show(f"{name}: {shown[name]}")

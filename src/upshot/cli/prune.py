"""`upshot prune`: give up what is over and old, now."""

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from upshot.cli import options

TOLD_EVERY_ROWS = 10_000


def prune(
    *,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than", metavar="DURATION", help="At this age, like 90d, rather than as the settings say."
        ),
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go, and keep it.")] = False,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Remove runs, events and the like that are over and older than they have to be kept. Safe beside a running engine,
    and to break off: the next one goes on."""
    from upshot.cli import output
    from upshot.cli.opening import opened
    from upshot.core.automations.durations import parse

    age = timedelta(microseconds=parse(older_than, "--older-than")) if older_than is not None else None
    with opened(database) as upshot:
        told = upshot.retention.prune(
            older_than=age,
            tenant=tenant,
            is_dry_run=dry_run,
            actor=options.ACTOR,
            told=None if as_json else _Progress(is_dry_run=dry_run),
        )
    if as_json:
        output.show_json(told)
        return
    _show(told)


class _Progress:
    """Says on standard error how far it is, every ten thousand rows."""

    def __init__(self, *, is_dry_run: bool) -> None:
        self._verb = "to be removed" if is_dry_run else "removed"
        self._rows = self._told = 0

    def __call__(self, tenant_id: str, kind: str, rows: int) -> None:
        """So many more rows went."""
        from upshot.cli.output import plain

        self._rows += rows
        if self._rows - self._told >= TOLD_EVERY_ROWS:
            self._told = self._rows
            whose = f" of tenant {tenant_id}" if tenant_id else ""
            print(plain(f"upshot: {self._rows:,} rows {self._verb}, now at {kind}{whose}"), file=sys.stderr, flush=True)


def _show(told: dict[str, Any]) -> None:
    from upshot.cli.output import show

    verb = "would go" if told["dry_run"] else "went"
    for tenant in told["tenants"]:
        show(f"{tenant['id']}: {', '.join(f'{rows:,} {table}' for table, rows in tenant['removed'].items())} {verb}")
    if told["outbox"]:
        show(f"outbox: {told['outbox']:,} relayed rows {verb}")
    if not told["tenants"] and not told["outbox"]:
        show(f"Nothing {verb}: all that is over is younger than it has to be kept.")
    if told["bytes"] is not None and not told["dry_run"]:
        before, after = (told["bytes"][when] / 1_048_576 for when in ("before", "after"))
        show(f"The file had {before:,.1f} MiB and has {after:,.1f} MiB.")

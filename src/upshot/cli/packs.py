"""`upshot packs`: bundles of event types, entities and automations for one field."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upshot.cli import options

if TYPE_CHECKING:
    from upshot.core.scenarios import Scenario

commands = typer.Typer(help="Packs: ready bundles for one field.", no_args_is_help=True)


@commands.command("list")
def list_(*, as_json: options.Json = False) -> None:
    """Which packs there are. It needs no database."""
    from upshot.app.packs import list_packs
    from upshot.cli.output import show_json, show_table

    items = list_packs()
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, {"name": "NAME", "title": "TITLE"}, "There are no packs.")


@commands.command()
def install(
    *,
    name: Annotated[str, typer.Argument(help="The pack's name.")],
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Install a pack into a tenant. Installing it again changes only what is missing."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json

    with opened(database) as upshot:
        upshot.tenants.get(tenant)
        done = upshot.packs.install(tenant, name, actor=options.ACTOR)
    if as_json:
        show_json(done)
    else:
        show(f"The pack {name!r} is installed in the tenant {tenant!r}.")


@commands.command("test")
def play_scenarios(
    *,
    name: Annotated[str, typer.Argument(help="The pack's name.")],
    files: Annotated[
        list[Path] | None, typer.Option("--scenario", metavar="FILE", help="Play this TOML file instead; repeatable.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Play a pack's scenarios on a real engine and a database of their own, with time that is moved: a month takes a moment."""
    from upshot.cli.output import show, show_json
    from upshot.testing.scenarios import play_alone

    told: list[dict[str, Any]] = []
    for place, scenario in _scenarios(name, files or []).items():
        differences = play_alone(scenario, pack=name)
        told.append({"scenario": place, "title": scenario.title, "differences": differences})
        if not as_json:
            show(f"{'differs' if differences else 'ok':7}  {place}: {scenario.title}")
            for one in differences:
                show(f"         {one}")
    if as_json:
        show_json({"scenarios": told})
    if any(one["differences"] for one in told):
        raise typer.Exit(1)


def _scenarios(name: str, files: list[Path]) -> "dict[str, Scenario]":
    """The scenarios to play, by the place that names them."""
    import tomllib

    from upshot.app.packs import built_in_packs
    from upshot.core.errors import NotFound, Problem, Refused
    from upshot.core.scenarios import read_scenario

    pack = built_in_packs().get(name)
    if pack is None:
        raise NotFound("pack", name)
    read: dict[str, Scenario] = {}
    for file in files:
        try:
            read[str(file)] = read_scenario(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise Refused.at(str(file), f"cannot be read: {error}", "unreadable") from error
        except Refused as refused:
            raise Refused([Problem(f"{file}: {p.path}", p.message, p.code) for p in refused.problems]) from refused
    return read if files else pack.scenarios

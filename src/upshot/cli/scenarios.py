"""Playing scenario files, for `upshot automations test`."""

import json
from pathlib import Path
from typing import Any

import typer

from upshot.core.automations.fields import as_object


def is_scenario(path: str) -> bool:
    """Whether this names a scenario, or a folder of them, and not an automation."""
    file = Path(path)
    if file.is_dir() or file.suffix == ".toml":
        return file.exists()
    try:
        return file.suffix == ".json" and "then" in (as_object(json.loads(file.read_text(encoding="utf-8"))) or {})
    except (OSError, ValueError):
        return False


def play_files(path: str, app: str | None, *, as_json: bool) -> None:
    """Play the scenarios at this path, each on a database of its own, with the actions of the host's `app`; exit code 1 when
    one does not come out as it says.

    Raises:
        Refused: there is none, or one cannot be played.
    """
    from upshot.cli.opening import loaded
    from upshot.cli.output import show, show_json
    from upshot.testing import scenario_files
    from upshot.testing.scenarios import load_scenario, play_alone

    actions = loaded(app, None).actions.all() if app is not None else []
    told: list[dict[str, Any]] = []
    for file in scenario_files(path):
        scenario = load_scenario(file)
        differences = play_alone(scenario, actions=actions)
        told.append({"scenario": str(file), "title": scenario.title, "differences": differences})
        if not as_json:
            show(f"{'differs' if differences else 'ok':7}  {file}: {scenario.title}")
            for one in differences:
                show(f"         {one}")
    if as_json:
        show_json({"scenarios": told})
    if any(one["differences"] for one in told):
        raise typer.Exit(1)

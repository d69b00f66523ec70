"""The doctor: looks at the whole installation and says what should be changed."""

from typing import TYPE_CHECKING

from upshot.adapters.actions.code import NAME
from upshot.adapters.clock import SystemClock
from upshot.adapters.sandbox import REMEDY
from upshot.core.automations.document import ActionStep
from upshot.core.errors import UpshotError
from upshot.store import definitions, health
from upshot.store.health import Finding

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

NAMED_MAX = 5


def examine(upshot: "Upshot", *, is_deep: bool = False, knows_host: bool = True) -> list[Finding]:
    """Everything there is to say: settings, secret key, database, work, definitions, sandbox. Changes nothing. `is_deep` reads
    every page of an SQLite file. Without `knows_host` the host's own actions are not known here, and may be missing."""
    found = [Finding("settings", "ok", "The settings are usable."), _secret_key(upshot)]
    found += health.examine(upshot.database, SystemClock().now(), is_deep=is_deep)
    used: list[definitions.VersionInUse] = []
    if any(finding.name == "schema" and finding.status == "ok" for finding in found):
        with upshot.database.reading() as connection:
            used = definitions.versions_in_use(connection)
        found.append(_definitions(upshot, used, knows_host=knows_host))
    found.append(_sandbox(upshot, used))
    return found


def _secret_key(upshot: "Upshot") -> Finding:
    if upshot.settings.has_secret_key:
        return Finding("secret_key", "ok", "A secret key is set.")
    return Finding(
        "secret_key",
        "warning",
        "No secret key is set: sessions and webhook signatures end with each process.",
        "`upshot serve` and `upshot worker` need UPSHOT_SECRET_KEY, the same for every process.",
    )


def _sandbox(upshot: "Upshot", used: list[definitions.VersionInUse]) -> Finding:
    """Whether steps that are written in Python can run here."""
    if upshot.sandbox.is_installed:
        return Finding("sandbox", "ok", f"Steps of the action {NAME} can run here.")
    names = [action.name for action in upshot.actions if NAME in (action.name, action.over)]
    needed = [one for one in used if any(f'"{name}"' in one.document for name in names)]
    if not needed:
        return Finding(
            "sandbox", "ok", f"It is not installed, and nothing uses it. The action {NAME} needs upshot[code]."
        )
    told = _listed([f"{one.name!r} version {one.version} (tenant {one.tenant_id})" for one in needed])
    return Finding("sandbox", "failed", f"It is not installed, and steps of {told} need it.", f"They wait. {REMEDY}.")


def _definitions(upshot: "Upshot", used: list[definitions.VersionInUse], *, knows_host: bool) -> Finding:
    """What automations, or unfinished runs, need and this process has not."""
    unreadable: list[str] = []
    unknown: dict[str, list[str]] = {}
    for one in used:
        said = f"{one.name!r} version {one.version} (tenant {one.tenant_id})"
        try:
            program = upshot.engine.process.definitions.program(
                one.tenant_id, one.automation_id, one.version, one.document
            )
        except (UpshotError, ValueError, TypeError, LookupError) as error:
            unreadable.append(f"{said}: {error}")
            continue
        for step in program.automation.steps:
            if isinstance(step, ActionStep) and step.action not in upshot.actions.shapes:
                unknown.setdefault(step.action, []).append(said)
    if unreadable:
        remedy = "Their runs wait. Install the release that published them, or publish them anew."
        return Finding("definitions", "failed", f"This release cannot read {_listed(unreadable)}.", remedy)
    if unknown:
        told = _listed([f"{action!r} of {needed[0]}" for action, needed in sorted(unknown.items())])
        remedy = (
            "Their steps wait until a worker has them: install what declares them."
            if knows_host
            else "If the host declares them, name its Upshot with --app; else their steps wait until a worker has them."
        )
        return Finding("definitions", "failed" if knows_host else "warning", f"Unknown actions: {told}.", remedy)
    return Finding("definitions", "ok", f"All {len(used)} versions in use can run here.")


def _listed(told: list[str]) -> str:
    more = f", and {len(told) - NAMED_MAX} more" if len(told) > NAMED_MAX else ""
    return ", ".join(told[:NAMED_MAX]) + more

"""Opening an Upshot for one command: which database, with which settings, and whether it is ready for this release."""

import dataclasses
import importlib
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upshot.app.settings import Settings
    from upshot.app.upshot import Upshot

FOLDER = Path(".upshot")
"""Where `upshot dev` keeps its database and secret key, under the present folder."""
DEV_FILE = FOLDER / "dev.db"
DATABASE_VARIABLE = "UPSHOT_DATABASE_URL"


@contextmanager
def opened(database: str | None, app: str | None = None) -> "Generator[Upshot]":
    """An Upshot on a database that has this release's schema or a newer one, closed at the end.

    Raises:
        Refused: a setting or URL is not usable.
        Conflict: the database is missing, cannot be read, or has an older schema.
    """
    from upshot.store import health

    upshot = loaded(app, database) if app else build(url_for_commands(settings(), database))
    try:
        health.raise_unless_ready(upshot.database)
        yield upshot
    finally:
        upshot.close()


def settings() -> "Settings":
    """This process's settings."""
    from upshot.app.settings import Settings

    return Settings.from_environment()


def build(url: str, given: "Settings | None" = None) -> "Upshot":
    """An Upshot on this database, which its settings name too."""
    from upshot.app.upshot import Upshot

    return Upshot(settings=dataclasses.replace(given or settings(), database_url=url))


def is_configured(given: "Settings") -> bool:
    """Whether the settings name a database, rather than leaving it at the default."""
    return DATABASE_VARIABLE in os.environ or given.database_url != type(given).database_url


def url_for_commands(given: "Settings", database: str | None) -> str:
    """What was asked for, else what the settings name, else the file that `upshot dev` keeps here if there is one."""
    if database is not None:
        return database
    return f"sqlite:///{DEV_FILE}" if DEV_FILE.exists() and not is_configured(given) else given.database_url


def loaded(app: str, database: str | None) -> "Upshot":
    """The host's own Upshot object, named like `shop.automation:upshot`.

    Raises:
        Refused: it cannot be found, or a database is named beside it.
    """
    from upshot.app.upshot import Upshot
    from upshot.core.errors import Refused

    if database is not None:
        raise Refused.at("--database", "the object that --app names has its database already; leave one of them out")
    module, _, name = app.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name or "upshot", None)
    except ImportError as error:
        raise Refused.at("--app", f"{module!r} cannot be imported: {error}") from error
    if not isinstance(found, Upshot):
        raise Refused.at("--app", f"{app!r} does not name an Upshot object; write it like shop.automation:upshot")
    return found

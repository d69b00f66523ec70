"""Databases for processes that die: prepared once, then copied for each test."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from tests.crash.load import Work, prepare
from tests.stores import server_url, store

Prepare = Callable[[Work], None]


@contextmanager
def prepared(kind: str, folder: Path, how: Prepare = prepare) -> Iterator[str]:
    """The URL of a new database, migrated, with the automations of the load."""
    with store(kind, folder) as url:
        how(Work(url=url, folder=str(folder)))
        yield url


class Copies:
    """One prepared database, of which each test takes a copy."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The URL of a copy; a PostgreSQL one is dropped at the end."""
        if self._url.startswith("sqlite"):
            shutil.copyfile(str(make_url(self._url).database), folder / "copy.db")
            yield f"sqlite:///{folder}/copy.db"
            return
        name = f"upshot_copy_{uuid.uuid4().hex}"
        with _administering() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {make_url(self._url).database}")
        try:
            yield make_url(self._url).set(database=name).render_as_string(hide_password=False)
        finally:
            with _administering() as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administering() -> Any:
    return psycopg.connect(server_url(), autocommit=True)

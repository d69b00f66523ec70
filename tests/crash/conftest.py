"""A prepared database and processes of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.databases import prepared
from tests.crash.ledgers import Look
from tests.crash.load import Work
from tests.crash.processes import Processes
from tests.stores import STORES


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as made:
        yield made


@pytest.fixture(params=STORES)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Work]:
    """Work on a prepared database, of each kind."""
    with prepared(request.param, tmp_path) as url:
        yield Work(url=url, folder=str(tmp_path))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Work]:
    """Work on a prepared PostgreSQL database, on which several workers may run."""
    with prepared("postgresql", tmp_path) as url:
        yield Work(url=url, folder=str(tmp_path))


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Work]:
    """Work on a prepared SQLite file."""
    with prepared("sqlite", tmp_path) as url:
        yield Work(url=url, folder=str(tmp_path))


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Iterator[Look]:
    """The test's own view of the database that its work is on."""
    wanted = {"work", "fleet", "embedded"} & set(request.fixturenames)
    made = Look(request.getfixturevalue(wanted.pop()).url)
    yield made
    made.close()

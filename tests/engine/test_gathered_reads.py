"""Gathered reads: many who ask are answered by few, each with what is kept after it asked; one's trouble is no other's."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from upshot import Upshot
from upshot.engine.gathered_reads import AT_ONCE, GatheredReads
from upshot.store.entities import read_roots

NUMBER = 3 * AT_ONCE
KEYS = [(tenant_id, "patient", f"p{number}") for number in range(NUMBER) for tenant_id in ("alpha", "beta")]


@pytest.fixture
def upshot(url: str) -> Iterator[Upshot]:
    """Two tenants with patients of the same ids."""
    made = Upshot(url)
    made.migrate()
    for tenant_id in ("alpha", "beta"):
        made.tenants.ensure(tenant_id)
    for tenant_id, type_, id_ in KEYS:
        made.entities.create(tenant_id, type_, id=id_, fields={"of": f"{tenant_id} {id_}"})
    yield made
    made.close()


def ask(upshot: Upshot, keys: list[tuple[str, str, str]]) -> tuple[list[Any], int]:
    """The answers to those who ask for these all at once, and how many reads they took."""
    reads = upshot.engine.process.reads
    read: list[int] = []
    reads.on_read = read.append

    async def everybody() -> list[Any]:
        asked = GatheredReads(reads, read_roots)
        return await asyncio.gather(*(asked.of(key) for key in keys), return_exceptions=True)

    return asyncio.run(everybody()), len(read)


def test_those_who_ask_at_once_are_answered_by_few_reads(upshot: Upshot) -> None:
    missing = ("alpha", "patient", "nobody")
    answers, reads = ask(upshot, [*KEYS, missing, *KEYS[:5]])
    assert [found and found["of"] for found in answers] == [
        *(f"{tenant_id} {id_}" for tenant_id, _, id_ in KEYS),
        None,
        *(f"{tenant_id} {id_}" for tenant_id, _, id_ in KEYS[:5]),
    ]
    assert reads <= (len(KEYS) + 6) / AT_ONCE + 1


def test_an_answer_is_of_after_its_question(upshot: Upshot) -> None:
    key = KEYS[0]

    async def change_between() -> list[Any]:
        asked = GatheredReads(upshot.engine.process.reads, read_roots)
        first = asyncio.create_task(asked.of(key))
        await asyncio.sleep(0)  # it has asked
        await asyncio.to_thread(upshot.entities.patch, *key, fields={"of": "changed"})
        return [await asked.of(key), await first]

    after, before = asyncio.run(change_between())
    assert after["of"] == "changed"
    assert before["of"] in {"alpha p0", "changed"}


def test_an_entity_that_cannot_be_read_is_nobody_elses_failure(upshot: Upshot) -> None:
    with upshot.database.writing() as connection:
        connection.execute(text("UPDATE upshot_entities SET fields = '{' WHERE tenant_id = 'beta' AND id = 'p1'"))
    answers, _ = ask(upshot, KEYS)
    broken = KEYS.index(("beta", "patient", "p1"))
    assert isinstance(answers.pop(broken), Exception)
    assert all(found["of"] for found in answers)

"""Gathered reads: what many runs ask for at the same time is one read. What is asked for while one is under way is read by the
next, so that every answer is of after its question.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from upshot.core.errors import Busy
from upshot.engine.reads import Reads
from upshot.engine.turns import Turns
from upshot.store.database import DatabaseUnavailable

AT_ONCE = 20
"""Questions that one read answers; those who asked go on together, and leave the event loop to others before the next."""

K = TypeVar("K", bound=tuple[str, ...])
V = TypeVar("V")


class _Question(Generic[K, V]):
    """One row that somebody waits for."""

    __slots__ = ("answer", "key", "tenant_id", "weight")

    def __init__(self, key: K) -> None:
        self.key, self.tenant_id, self.weight = key, key[0], 1
        self.answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()


class GatheredReads(Generic[K, V]):
    """The reads of one kind in one process, in turns by tenant. Used on its event loop."""

    def __init__(self, reads: Reads, read: Callable[[Connection, Sequence[K]], dict[K, V]]) -> None:
        """`read` gives what there is under these keys, each of which begins with its tenant."""
        self._reads, self._read = reads, read
        self._asked: Turns[_Question[K, V]] = Turns()
        self._answering: asyncio.Task[None] | None = None

    async def of(self, key: K) -> V | None:
        """What is kept under this key now; None when there is nothing. Not to be changed: others may have the same.

        Raises:
            DatabaseUnavailable: the store cannot be asked at present.
        """
        question = _Question[K, V](key)
        self._asked.put([question])
        if self._answering is None:
            self._answering = asyncio.get_running_loop().create_task(self._answer_all())
        return await question.answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                await self._answer(self._asked.take(AT_ONCE))
        finally:
            self._answering = None

    async def _answer(self, questions: list[_Question[K, V]]) -> None:
        """Answer these. What cannot be read of one is no other's failure."""
        try:
            found = await self._reads.run(self._read, list({question.key: None for question in questions}))
        except Exception as error:  # noqa: BLE001 - it is raised where the question was asked
            if len(questions) > 1 and not isinstance(error, DatabaseUnavailable | Busy):
                middle = len(questions) // 2
                await self._answer(questions[:middle])
                await self._answer(questions[middle:])
                return
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(error)
            return
        for question in questions:
            if not question.answer.done():  # the one who asked may be gone
                question.answer.set_result(found.get(question.key))

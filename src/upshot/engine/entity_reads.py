"""Entity reads: what many runs ask for at the same time is one read. What is asked for while one is under way is read by the
next, so that every answer is of after its question.
"""

import asyncio
from typing import Any

from upshot.core.errors import Busy
from upshot.engine.reads import Reads
from upshot.engine.turns import Turns
from upshot.store.database import DatabaseUnavailable
from upshot.store.entities import Key, read_roots

AT_ONCE = 20
"""Entities of one read; those who asked go on together, and leave the event loop to others before the next."""

Root = dict[str, Any]


class _Question:
    """One entity that somebody waits for."""

    __slots__ = ("answer", "key", "tenant_id", "weight")

    def __init__(self, key: Key) -> None:
        self.key, self.tenant_id, self.weight = key, key[0], 1
        self.answer: asyncio.Future[Root | None] = asyncio.get_running_loop().create_future()


class EntityReads:
    """The entity reads of one process, in turns by tenant. Used on its event loop."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._asked: Turns[_Question] = Turns()
        self._answering: asyncio.Task[None] | None = None

    async def of(self, key: Key) -> Root | None:
        """This entity as conditions and templates read it, as it is now; None when there is none. Not to be changed: others
        may have the same.

        Raises:
            DatabaseUnavailable: the store cannot be asked at present.
        """
        question = _Question(key)
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

    async def _answer(self, questions: list[_Question]) -> None:
        """Answer these. One entity that cannot be read is no other's failure."""
        try:
            found = await self._reads.run(read_roots, [question.key for question in questions])
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

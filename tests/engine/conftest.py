"""An Upshot on a real SQLite file, its engine on a real thread, and time that the test moves."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upshot import ActionError, PermanentError, Upshot
from upshot.store.event_pages import Filter


class VirtualClock:
    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * 1_000_000)


START = 1_800_000_000_000_000


class Bench:
    """What the engine's tests need of one Upshot."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = VirtualClock(START)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.upshot = self.open()
        self.upshot.migrate()
        self.upshot.start()

    def open(self) -> Upshot:
        """A new Upshot object on the same file, as a restarted process would make it."""
        upshot = Upshot(f"sqlite:///{self.path}", clock=self.clock)
        declare(upshot, self.calls)
        return upshot

    def restart(self) -> None:
        """Stop the engine in order and start another on the same file."""
        self.upshot.stop()
        self.upshot = self.open()
        self.upshot.start()
        self.settle()

    def settle(self) -> None:
        """Wait until all that can be done now is done."""
        engine = self.upshot.engine
        assert engine.loop is not None
        asyncio.run_coroutine_threadsafe(engine.idle(), engine.loop).result(30)

    def advance(self, seconds: float) -> None:
        """Move time on, and wait until what became due is done."""
        self.clock.advance(seconds)
        engine = self.upshot.engine
        assert engine.loop is not None
        engine.loop.call_soon_threadsafe(engine.wake)
        self.settle()

    def automation(self, *steps: dict[str, Any], **more: Any) -> str:
        """An active automation of `test/happened`; its id."""
        document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": list(steps), "status": "active"}
        return self.upshot.automations.create("default", {**document, **more})["id"]

    def emit(self, data: dict[str, Any] | None = None, **more: Any) -> str:
        """Emit `test/happened` and wait until all that follows now is done; the event's id."""
        event_id = self.upshot.emit("test/happened", data or {}, **more)
        self.settle()
        assert event_id is not None
        return event_id

    def runs(self) -> list[dict[str, Any]]:
        """All runs with their steps, oldest first."""
        listed = self.upshot.runs.page("default", limit=200).items
        return [self.upshot.runs.get("default", run["id"]) for run in reversed(listed)]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name, newest first."""
        return self.upshot.events.page("default", wanted=Filter(name=name)).items

    def run(self) -> dict[str, Any]:
        """The only run."""
        (run,) = self.runs()
        return run


def declare(upshot: Upshot, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Actions that note their calls and then do what their name says."""

    @upshot.action("note")
    async def note(args: dict, context) -> dict:  # type: ignore[type-arg] - an action may take plain arguments
        calls.append((context.step_id, args))
        context.log("noted", attempt=context.attempt)
        return {"noted": args, "key": context.idempotency_key}

    @upshot.action("raise")
    def raise_(args: dict, context) -> None:
        calls.append((context.step_id, args))
        raise RuntimeError("it broke")

    @upshot.action("raise_until")
    async def raise_until(args: dict, context) -> int:
        calls.append((context.step_id, args))
        if context.attempt < args["attempt"]:
            raise ActionError("not yet")
        return context.attempt

    @upshot.action("raise_for_good")
    async def raise_for_good(args: dict, context) -> None:
        calls.append((context.step_id, args))
        raise PermanentError("never")

    @upshot.action("hang")
    async def hang(args: dict, context) -> None:
        calls.append((context.step_id, args))
        await asyncio.Event().wait()

    @upshot.action("junk")
    async def junk(args: dict, context) -> object:
        calls.append((context.step_id, args))
        return {"not": object()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "upshot.db")
    yield made
    made.upshot.stop()

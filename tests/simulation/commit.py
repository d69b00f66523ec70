"""What one commit touched, for the checks at its end."""

from typing import TYPE_CHECKING, Any

from upshot.engine.record import Parking, Recording

if TYPE_CHECKING:
    from tests.simulation.process import SimulatedProcess

Row = dict[str, Any]
Key = tuple[str, str]
"""Tenant and id."""


class Commit:
    """The changes of one transaction, by what they are about."""

    def __init__(self, process: "SimulatedProcess | None") -> None:
        self.process = process
        self.runs: dict[Key, None] = {}
        self.woken: set[Key] = set()
        self.fired: list[Row] = []
        self.met: set[Key] = set()
        self.accepted: list[Row] = []
        self.matched: list[Key] = []
        self.started: list[Row] = []
        self.kept: list[Row] = []
        self.emitted: list[Row] = []
        self.again: list[Row] = []
        self.occurred: list[Row] = []
        self.dead: set[Key] = set()
        self.changed: dict[Key, tuple[Row, Row]] = {}
        """Entities, as they were and as they are."""
        self.by_hand = False
        """Whether somebody put an entity into a segment, or took it out."""
        self.reopened: dict[Key, Row] = {}
        """Runs that were failed and go on, as they were."""
        self.forgotten: dict[Key, dict[str, Row]] = {}
        self.moved_up: dict[Key, list[Row]] = {}
        self.epochs: dict[tuple[Any, ...], int] = {}
        for piece in process.commit.batch if process is not None else ():
            self._promised(piece.work, piece.answer)

    def _promised(self, work: Any, answer: Any) -> None:
        """Under which epoch the process believes it holds the run that it writes this for. What was refused, or is of another
        part of the batch, writes nothing here."""
        if isinstance(answer, BaseException) or (answer is None and isinstance(work, Recording | Parking)):
            return
        if isinstance(work, Recording):
            self.epochs["runs", work.run.key] = work.run.epoch
            for done in work.done:
                self.epochs["steps", work.run.key, done.step_id] = work.run.epoch
        elif isinstance(work, Parking):
            for timer in work.timers:
                self.epochs["timers", work.run.key, timer.step_id] = work.run.epoch
        elif isinstance(work, tuple):
            self.epochs["runs", work[0].key] = work[0].epoch

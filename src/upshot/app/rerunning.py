"""Past a step, and again: skip where a run stands, and run again what is over."""

from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.changing import change
from upshot.app.driving import Driving
from upshot.app.run_steps import outcome_of
from upshot.core import continuing, statuses
from upshot.core.automations import read as read_document
from upshot.core.automations.document import kind_of
from upshot.core.commands import StepError
from upshot.core.continuing import KeptOutcome
from upshot.core.errors import Conflict, NotFound, Refused
from upshot.core.events import EntityRef, Event
from upshot.core.program import Program
from upshot.core.strict_json import check, encode
from upshot.engine import again
from upshot.store import audit, automations, event_pages, run_pages
from upshot.store.journal import KeptStep
from upshot.store.run_pages import RunRow, StepRow
from upshot.store.runs import NewRun

Version = Literal["same", "current"]
PLACES_SHOWN: Final = 10
_WITH_EFFECTS: Final = frozenset({"action", "call"})


class MadeAgain(msgspec.Struct, frozen=True, kw_only=True):
    """What a run that is over, of this status, would begin again as: which steps' effects happen again, and which steps of the
    document these are."""

    status: str
    anew: again.Anew
    repeats: list[str]
    effects: list[str]


class Rerunning(Driving):
    """The side of `upshot.runs` that goes past steps, and back."""

    def skip(
        self, tenant_id: str, run_id: str, *, step: str | None = None, output: Any = None, actor: str = "host"
    ) -> None:
        """Go on past a step where the run stands (one that failed, waits, or is next in a paused run), with this output in the
        place of its own. `step` names it; it may be left out where the run stands at one step only, or failed at it. Skipping
        a parallel step or a `for_each` lets go of all that is open inside.

        Raises:
            NotFound: there is no such run.
            Conflict: it stands at several steps and none was named, or not at this one; a worker is at a step of it, or it is
                over and did not fail.
            Refused: the output is not JSON, or not what such a step gives.
        """
        check(output, "output")
        now = self._upshot.clock.now()

        def write(connection: Connection) -> None:
            status, skipped = self._skipped(connection, tenant_id, run_id, step, output, actor, now)
            before, after = {"status": status}, {"step": skipped, "output": output}
            audit.add(connection, tenant_id, new_id(now), now, actor, "skip", "run", run_id, before, after)

        change(self._upshot, tenant_id, write, is_alone=True)
        self._upshot.engine.dropped(tenant_id, run_id)
        self._upshot.engine.claim_soon()

    def rerun(
        self,
        tenant_id: str,
        run_id: str,
        *,
        from_step: str | None = None,
        version: Version = "current",
        dry_run: bool = False,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A new run of what is over, on the automation's live version or on the same one: from its beginning, or from a step
        that it came to, with what was kept before that step. Says which steps are `kept` and which effects happen again
        (`repeats`); a dry run says only that.

        Raises:
            NotFound: there is no such run.
            Conflict: it is not over, or its event or version is gone.
            Refused: it never came to that step, or that version does not come to it after the same outcomes.
        """
        now = self._upshot.clock.now()

        def write(connection: Connection) -> dict[str, Any]:
            made = self._made_again(connection, tenant_id, run_id, from_step, version, now)
            told: dict[str, Any] = {
                "run_id": None,
                "event_id": None,
                "version": made.anew.run.version,
                "kept": [step.step_id for step in made.anew.kept],
                "repeats": made.repeats,
            }
            if dry_run:
                return told
            again.start(connection, [made.anew], now)
            told |= {"run_id": made.anew.run.id, "event_id": made.anew.event.id}
            audit.add(connection, tenant_id, new_id(now), now, actor, "rerun", "run", run_id, None, told)
            return told

        if dry_run:
            with self._upshot.database.reading(tenant_id) as connection:
                return write(connection)
        told = change(self._upshot, tenant_id, write)
        self._upshot.engine.claim_soon()
        return told

    def _skipped(
        self,
        connection: Connection,
        tenant_id: str,
        run_id: str,
        step: str | None,
        output: Any,
        actor: str,
        now: int,
    ) -> tuple[str, str]:
        """Skip where this run stands; its status before, and the step. Whoever calls has the audit of it.

        Raises:
            NotFound, Conflict, Refused: as `skip`; nothing was written.
        """
        stand = again.hold_still(connection, tenant_id, run_id)
        run = _present(connection, tenant_id, run_id)
        program = self._program_of(connection, tenant_id, run, run.version)
        journal = run_pages.steps_of(connection, tenant_id, run_id)
        if run.status == "failed":
            failed = _failed_at(run, journal)
            step_id, journal = step or journal[failed].step_id or None, journal[:failed]
        else:
            step_id = step
        step_id = _place(program, run, journal, step_id)
        problem = continuing.substitute_problem(program, step_id, output)
        if problem is not None:
            raise Refused.at("output", problem, "wrong_type")
        kept = KeptStep(
            tenant_id=tenant_id,
            run_id=run_id,
            seq=len(journal),
            step_id=step_id,
            kind=kind_of(program.steps[step_id]),
            status="skipped",
            attempt=1,
            started_at=now,
            finished_at=now,
            output=encode(output) if output is not None else None,
        )
        again.skip(connection, stand, kept, actor, now)
        return stand.status, step_id

    def _made_again(
        self,
        connection: Connection,
        tenant_id: str,
        run_id: str,
        from_step: str | None,
        version: Version,
        now: int,
    ) -> MadeAgain:
        """What `rerun` of this run would begin; nothing is written.

        Raises:
            NotFound, Conflict, Refused: as `rerun`.
        """
        run = _present(connection, tenant_id, run_id)
        if run.status not in statuses.RUN_OVER:
            raise Conflict(f"Run {run_id!r} is {run.status}; only a run that is over is run again. Cancel it first.")
        number = run.version
        if version == "current":
            live = automations.live_version(connection, tenant_id, run.automation_id)
            if live is None or live[0] is None:
                raise Conflict(f"The automation of run {run_id!r} is gone.")
            number = live[0]
        program = self._program_of(connection, tenant_id, run, number)
        journal = run_pages.steps_of(connection, tenant_id, run_id)
        journal.sort(key=lambda step: program.is_handling(step.step_id))  # also where a retry has moved them up
        before, after = _parted(program, journal, from_step, number)
        event = _event_again(connection, tenant_id, run, now)
        entity = event.entity
        new = NewRun(
            tenant_id=tenant_id,
            id=new_id(now),
            automation_id=run.automation_id,
            version=number,
            event_id=event.id,
            entity_type=entity.type if entity is not None else None,
            entity_id=entity.id if entity is not None else None,
            priority=program.automation.priority,
            test=run.test,
            facts=run.facts,
            worker_id=None,
            queue=program.automation.queue,
        )
        repeats = _repeated(program, before, after)
        return MadeAgain(
            status=run.status,
            anew=again.Anew(event, new, [_kept(tenant_id, step) for step in before]),
            repeats=repeats,
            effects=list(dict.fromkeys(program.base(step_id) for step_id in repeats)),
        )

    def _program_of(self, connection: Connection, tenant_id: str, run: RunRow, number: int) -> Program:
        kept = automations.version(connection, tenant_id, run.automation_id, number)
        if kept is None:
            raise Conflict(f"Version {number} of the automation of run {run.id!r} is gone.")
        return Program(read_document(kept.document, actions=self._upshot.actions.shapes))


def _present(connection: Connection, tenant_id: str, run_id: str) -> RunRow:
    run = run_pages.read(connection, tenant_id, run_id)
    if run is None:
        raise NotFound("run", run_id)
    return run


def _outcomes(journal: list[StepRow]) -> list[KeptOutcome]:
    return [(outcome_of(step), step.kind) for step in journal]


def _failed_at(run: RunRow, journal: list[StepRow]) -> int:
    """The place in the journal of the step that failed the run; it goes on there."""
    error = msgspec.json.decode(run.error, type=StepError) if run.error is not None else None
    for at, step in enumerate(journal):
        if error is not None and step.step_id == error.step_id and step.status in {"failed", "unknown"}:
            return at
    raise Conflict(f"No step of run {run.id!r} can be skipped: none of them failed it. Run it again instead.")


def _place(program: Program, run: RunRow, journal: list[StepRow], named: str | None) -> str:
    """The step to be skipped, which the run stands at."""
    state = continuing.state_after(program, _outcomes(journal))
    found = continuing.places(program, state) if state is not None else ()
    if named is not None and named in found:
        return named
    single = [step_id for step_id in found if not continuing.is_around_others(program, step_id)]
    if named is None and len(single) == 1:
        return single[0]
    if not found:
        raise Conflict(f"Run {run.id!r} is {run.status} and stands at no step that could be skipped.")
    listed = ", ".join(repr(step_id) for step_id in found[:PLACES_SHOWN])
    listed += " and others" if len(found) > PLACES_SHOWN else ""
    if named is None:
        raise Conflict(f"Run {run.id!r} stands at several steps, {listed}: say which one in `step`.")
    raise Conflict(f"Run {run.id!r} stands at {listed}, not at {named!r}.")


def _parted(
    program: Program, journal: list[StepRow], from_step: str | None, number: int
) -> tuple[list[StepRow], list[StepRow]]:
    """What was kept before this step, and what was kept after."""
    if from_step is None:
        return [], journal
    own = next((step for step in journal if step.step_id == from_step), None)
    if own is not None and own.status == "cancelled":
        said = "was cancelled, since the steps around it ended without it; choose one of those, or an earlier step"
        raise Refused.at("from_step", said, "not_reached")
    place = continuing.kept_before(program, _outcomes(journal), from_step)
    if place is None and own is None:
        raise Refused.at("from_step", "the run never came to a step of this id", "not_reached")
    if place is None:
        said = f"version {number} does not come to this step after what was kept before it; run it from the beginning"
        raise Refused.at("from_step", said, "not_reached")
    return journal[:place], journal[place:]


def _repeated(program: Program, before: list[StepRow], after: list[StepRow]) -> list[str]:
    """The steps with effects that come after. The items of a list are one, and so are the rounds of a circle, but where some
    of them are kept."""
    kept = {program.base(step.step_id) for step in before if step.kind in _WITH_EFFECTS}
    done = [step for step in after if step.kind in _WITH_EFFECTS and step.status not in {"skipped", "cancelled"}]
    bases = ((step.step_id, program.base(step.step_id)) for step in done)
    return list(dict.fromkeys(step_id if base in kept else base for step_id, base in bases))


def _event_again(connection: Connection, tenant_id: str, run: RunRow, now: int) -> Event:
    """The run's event under a new id, caused by the run that is run again."""
    found = event_pages.read(connection, tenant_id, run.event_id)
    if found is None:
        raise Conflict(f"The event of run {run.id!r} was removed from history.")
    entity = None
    if found.entity_type is not None and found.entity_id is not None:
        entity = EntityRef(found.entity_type, found.entity_id)
    return Event(
        tenant_id=tenant_id,
        id=new_id(now),
        name=found.name,
        data=msgspec.json.decode(found.data),
        text=found.data,
        ts=found.ts,
        received_at=now,
        root_id=found.root_id,
        entity=entity,
        depth=found.depth,
        cause_run_id=run.id,
        test=run.test,
        by_hand=True,
    )


def _kept(tenant_id: str, step: StepRow) -> KeptStep:
    return KeptStep(
        tenant_id=tenant_id,
        run_id="",
        seq=0,
        step_id=step.step_id,
        kind=step.kind,
        status=step.status,
        attempt=step.attempt,
        started_at=step.started_at,
        finished_at=step.finished_at,
        input=step.input,
        output=step.output,
        error=step.error,
        log=step.log,
    )

"""The side of `upshot.runs` that acts on all runs that a filter names, a batch at a time: one transaction, one entry of the
audit."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, Literal, cast

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.changing import change
from upshot.app.rerunning import MadeAgain, Rerunning, Version
from upshot.core.errors import Conflict, NotFound, Problem, Refused
from upshot.core.instants import from_text, to_text
from upshot.core.statuses import RUN_OVER
from upshot.core.strict_json import check
from upshot.engine import again, control
from upshot.engine.control import Action
from upshot.store import audit, event_pages, run_pages, standing
from upshot.store.run_pages import Filter

BulkAction = Action | Literal["skip", "rerun"]
ACTIONS: Final[tuple[BulkAction, ...]] = (*control.BECOMES, "skip", "rerun")
BATCH_MAX: Final = 500
"""Runs that one batch acts on at most."""
ONE_BY_ONE_MAX: Final = 50
"""As many of those that are skipped or run again: what each has kept is read."""
STEPS_MAX: Final = 2_000
"""Outcomes that one batch of these reads at most, or those of one run."""
PROBLEMS_MAX: Final = 20
_ONE_BY_ONE: Final = frozenset[BulkAction]({"skip", "rerun"})
_GOES_WITH: Final = {"step": "skip", "output": "skip", "from_step": "rerun", "version": "rerun"}


class BulkRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch did: `count` were found, `left` are left after it. `next` and `until` are for the next batch; `problems`
    tell of up to 20 that were refused, `repeats` (of a rerun) how many runs of each automation have the effects of which
    steps again."""

    count: int
    done: int = 0
    refused: int = 0
    left: int
    until: str
    next: str | None = None
    problems: list[dict[str, str]] = []
    repeats: list[dict[str, Any]] = []


class _Did(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the runs of a batch: the status before of those it was `done` to, why the others were `refused`, what the
    audit says of it, and how many runs have which effects again, by automation and step."""

    done: dict[str, str]
    refused: dict[str, str]
    audited: dict[str, Any] = {}
    effects: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter[tuple[str, str]])


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to which runs: those that `said` names, created up to `until`, after the run `after`."""

    tenant_id: str
    action: BulkAction
    said: dict[str, Any]
    options: dict[str, Any]
    do: Callable[["_Batch", Connection, Sequence[str]], _Did]
    until: int
    after: str
    limit: int
    actor: str
    now: int

    @property
    def begins(self) -> int:
        """When what is run again begins: after `until`, so that no later batch finds it, however soon it is over."""
        return max(self.now, self.until + 1)

    def count(self, connection: Connection) -> BulkRuns:
        """How many there are."""
        left = self._left(connection, self._filter(connection), self.after)
        return BulkRuns(count=left, left=left, until=to_text(self.until))

    def act(self, connection: Connection) -> tuple[BulkRuns, _Did]:
        """Do it to the next of them."""
        wanted, statuses = self._filter(connection), self._statuses()
        chosen = run_pages.batch(connection, self.tenant_id, wanted, statuses, self.after, self.until, self.limit)
        if self.action in _ONE_BY_ONE:
            chosen = self._few(connection, chosen)
        did = self.do(self, connection, chosen)
        left = self._left(connection, wanted, chosen[-1]) if chosen else 0
        if did.done:
            self._audit(connection, did)
        told = BulkRuns(
            count=len(chosen) + left,
            done=len(did.done),
            refused=len(did.refused),
            left=left,
            until=to_text(self.until),
            next=chosen[-1] if left else None,
            problems=[{"id": run_id, "reason": why} for run_id, why in list(did.refused.items())[:PROBLEMS_MAX]],
            repeats=[{"automation": of, "step": step, "runs": runs} for (of, step), runs in did.effects.items()],
        )
        return told, did

    def _few(self, connection: Connection, chosen: list[str]) -> list[str]:
        """The first of these, so that a batch is short also where runs have kept much."""
        kept = run_pages.number_of_steps(connection, self.tenant_id, chosen)
        steps = accumulate(kept.get(run_id, 0) for run_id in chosen)
        return chosen[: max(1, sum(number <= STEPS_MAX for number in steps))]

    def _statuses(self) -> list[str]:
        """Those that the action can be done to, of those that are wanted."""
        if self.action == "skip":
            possible = sorted(again.SKIPPABLE)
        elif self.action == "rerun":
            possible = sorted(RUN_OVER)
        else:
            possible = control.actionable(self.action)
        return [status for status in possible if self.said["status"] in {None, status}]

    def _filter(self, connection: Connection) -> Filter:
        event = self.said["event"]
        found = event_pages.read(connection, self.tenant_id, event) if event is not None else None
        return Filter(
            event_id=found.id if found is not None else None,
            event_name=event if found is None else None,
            automation_id=self.said["automation"],
            status=self.said["status"],
            entity=self.said["entity"],
            replay_id=self.said["replay"],
        )

    def _left(self, connection: Connection, wanted: Filter, after: str) -> int:
        return run_pages.number_left(connection, self.tenant_id, wanted, self._statuses(), after, self.until)

    def _audit(self, connection: Connection, did: _Did) -> None:
        entity = self.said["entity"]
        about = {"type": entity[0], "id": entity[1]} if entity is not None else None
        named = {name: value for name, value in {**self.said, "entity": about}.items() if value is not None}
        audit.add(
            connection,
            self.tenant_id,
            new_id(self.now),
            self.now,
            self.actor,
            f"bulk_{self.action}",
            "run",
            self.said["automation"] or self.said["event"] or self.said["replay"] or "all",
            {"status": did.done},
            {"count": len(did.done), "filter": named, **did.audited},
        )


class Bulk(Rerunning):
    """What is done to many runs. Every batch is audited in its own transaction."""

    def bulk(
        self,
        tenant_id: str,
        action: BulkAction,
        *,
        event: str | None = None,
        automation: str | None = None,
        status: str | None = None,
        entity: tuple[str, str] | None = None,
        replay: str | None = None,
        step: str | None = None,
        output: Any = None,
        from_step: str | None = None,
        version: Version | None = None,
        dry_run: bool = True,
        until: str | None = None,
        after: str | None = None,
        limit: int = BATCH_MAX,
        actor: str = "host",
    ) -> BulkRuns:
        """Act on the runs that this filter names and that the action can be done to, the oldest first, up to `limit` (at most
        500, of a skip or rerun 50 with 2,000 kept steps) in one transaction. The filter is that of `page`; an empty one names
        all. `step` and `output` are those of `skip`, `from_step` and `version` those of `rerun`; a run that refuses them stays
        as it is. A dry run counts and changes nothing; of a rerun it goes batch by batch too, and says which effects would
        happen again.

        Call it again with the answer's `until` and `next` until `next` is None: `until` leaves out what starts meanwhile, and
        the runs that a rerun began.

        Raises:
            Refused: an option goes with another action, the output is not JSON, or `until` is missing after the first batch
                of a rerun.
        """
        given = {"step": step, "output": output, "from_step": from_step, "version": version}
        _raise_of_others(action, given)
        if action == "rerun" and after and until is None:
            raise Refused.at("until", "is that of the answer before: what it began would be run again", "missing")
        check(output, "output")
        now = self._upshot.clock.now()
        looked = self._look_at_each if dry_run else self._begin_each
        does = {"skip": self._skip_each, "rerun": looked}
        batch = _Batch(
            tenant_id=tenant_id,
            action=action,
            said={"event": event, "automation": automation, "status": status, "entity": entity, "replay": replay},
            options=given,
            do=does.get(action, self._act_on_all),
            until=min(from_text(until, "until"), now) if until is not None else now,
            after=after or "",
            limit=min(limit, ONE_BY_ONE_MAX if action in _ONE_BY_ONE else BATCH_MAX),
            actor=actor,
            now=now,
        )
        if dry_run:
            with self._upshot.database.reading(tenant_id) as connection:
                return batch.act(connection)[0] if action == "rerun" else batch.count(connection)
        told, did = change(self._upshot, tenant_id, batch.act, is_alone=True)
        self._follow(tenant_id, action, did)
        return told

    def bulk_all(
        self, tenant_id: str, action: BulkAction, *, dry_run: bool = False, actor: str = "host", **named: Any
    ) -> Iterator[BulkRuns]:
        """`bulk` over all that the filter names, batch after batch, for whoever waits for the end of it."""
        did = self.bulk(tenant_id, action, dry_run=dry_run, actor=actor, **named)
        yield did
        while did.next is not None:
            did = self.bulk(tenant_id, action, dry_run=dry_run, until=did.until, after=did.next, actor=actor, **named)
            yield did

    def _act_on_all(self, batch: _Batch, connection: Connection, run_ids: Sequence[str]) -> _Did:
        action = cast("Action", batch.action)
        moved = control.act(connection, batch.tenant_id, run_ids, action, batch.actor, batch.now)
        return _Did(done=moved.done, refused=moved.refused)

    def _skip_each(self, batch: _Batch, connection: Connection, run_ids: Sequence[str]) -> _Did:
        standing.lock(
            connection, [(batch.tenant_id, run_id) for run_id in run_ids]
        )  # in one order, like all who lock many
        done: dict[str, str] = {}
        refused: dict[str, str] = {}
        steps: dict[str, str] = {}
        output = batch.options["output"]
        for run_id in run_ids:
            try:
                done[run_id], steps[run_id] = self._skipped(
                    connection, batch.tenant_id, run_id, batch.options["step"], output, batch.actor, batch.now
                )
            except (NotFound, Conflict, Refused) as error:
                refused[run_id] = str(error)
        return _Did(done=done, refused=refused, audited={"steps": steps, "output": output})

    def _look_at_each(self, batch: _Batch, connection: Connection, run_ids: Sequence[str]) -> _Did:
        made, refused = self._all_made_again(batch, connection, run_ids)
        return _Did(done={}, refused=refused, effects=_effects(made))

    def _begin_each(self, batch: _Batch, connection: Connection, run_ids: Sequence[str]) -> _Did:
        made, refused = self._all_made_again(batch, connection, run_ids)
        if made:
            again.start(connection, [one.anew for one in made.values()], batch.begins)
        told = {
            "runs": {run_id: one.anew.run.id for run_id, one in made.items()},
            "from_step": batch.options["from_step"],
            "version": batch.options["version"] or "current",
        }
        done = {run_id: one.status for run_id, one in made.items()}
        return _Did(done=done, refused=refused, audited=told, effects=_effects(made))

    def _all_made_again(
        self, batch: _Batch, connection: Connection, run_ids: Sequence[str]
    ) -> tuple[dict[str, MadeAgain], dict[str, str]]:
        """What each of these would begin again as, and why others do not."""
        from_step, version = batch.options["from_step"], batch.options["version"] or "current"
        made: dict[str, MadeAgain] = {}
        refused: dict[str, str] = {}
        for run_id in run_ids:
            try:
                made[run_id] = self._made_again(connection, batch.tenant_id, run_id, from_step, version, batch.begins)
            except (NotFound, Conflict, Refused) as error:
                refused[run_id] = str(error)
        return made, refused

    def _follow(self, tenant_id: str, action: BulkAction, did: _Did) -> None:
        """Wake who has something to do now."""
        if action == "skip":
            for run_id in did.done:
                self._upshot.engine.dropped(tenant_id, run_id)
        if action in _ONE_BY_ONE:
            self._upshot.engine.claim_soon()
        else:
            self._tell(tenant_id, did.done, cast("Action", action))


def _effects(made: Mapping[str, MadeAgain]) -> Counter[tuple[str, str]]:
    return Counter((one.anew.run.automation_id, step) for one in made.values() for step in one.effects)


def _raise_of_others(action: BulkAction, options: Mapping[str, Any]) -> None:
    """Hold the options that were given to be those of this action."""
    wrong = [
        Problem(name, f"goes with {_GOES_WITH[name]!r}, not with {action!r}; leave it out", "unknown_field")
        for name, value in options.items()
        if value is not None and _GOES_WITH[name] != action
    ]
    if wrong:
        raise Refused(wrong)

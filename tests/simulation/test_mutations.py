"""A guard that is taken away is missed: the simulator breaks within a few seeds."""

from collections.abc import Callable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, bindparam, select, update

from tests.simulation.automations import CHANGED_EVENT
from tests.simulation.faults import Faults
from tests.simulation.queues import QUEUED_FROM
from tests.simulation.segments import SEGMENTED_FROM
from tests.simulation.world import Broken, simulate
from upshot.core import segments as core_segments
from upshot.core.events import Event
from upshot.core.flow import Ask, Window, deciding
from upshot.core.instants import SECOND
from upshot.core.queues import QUEUE
from upshot.core.waits import RUN_ENDED
from upshot.engine import (
    accept,
    admit,
    awaiting,
    cancel,
    control,
    decide,
    housekeep,
    match,
    membership,
    record,
    recover,
    replay,
    schedule,
    settle,
    sweep,
    timekeep,
)
from upshot.engine import segment as finding
from upshot.engine.fork import Fork
from upshot.engine.recover import Recover
from upshot.engine.run import Run
from upshot.engine.timekeep import Timekeep
from upshot.store import (
    calls,
    cancelling,
    entities,
    events,
    flow,
    in_flight,
    journal,
    loops,
    outbox,
    reopening,
    replays,
    run_pages,
    runs,
    schedules,
    segments,
    throttled,
    waits,
)
from upshot.store.rows import Prepared, Take
from upshot.store.schema import timers

SEEDS_MAX = 120

Monkey = pytest.MonkeyPatch


def without_epochs(patch: Monkey) -> None:
    """Whoever drove a run once may write for it."""
    patch.setattr(runs, "held", lambda _connection, keys, _worker_id: {run_id: False for _, run_id, _ in keys})


def _commit_half(connection: Connection) -> None:
    """What a caller who does not know about the transaction would do in the middle of it."""
    driver: Any = connection.connection.driver_connection
    driver.commit()
    driver.execute("BEGIN IMMEDIATE")


def with_outcomes_committed_first(patch: Monkey) -> None:
    """An outcome is kept in one transaction, what follows from it in the next."""
    keep = journal.keep

    def keep_and_commit(connection: Connection, kept: Sequence[journal.KeptStep]) -> None:
        keep(connection, kept)
        _commit_half(connection)

    patch.setattr(record, "journal", SimpleNamespace(**{**vars(journal), "keep": keep_and_commit}))


def without_a_winner(patch: Monkey) -> None:
    """Every worker that matched an event believes that it was the first."""
    take = events.take_unmatched

    def take_all(connection: Connection, keys: Sequence[tuple[str, str]]) -> set[str]:
        take(connection, keys)
        return {event_id for _, event_id in keys}

    patch.setattr(events, "take_unmatched", take_all)


def without_due_instants(patch: Monkey) -> None:
    """A timer that somebody believes due is fired, whatever the store says."""
    wanted = journal.key_in(
        [timers.c.tenant_id, timers.c.run_id, timers.c.step_id], journal._fired, ["tenant_id", "run_id", "step_id"]
    )
    columns = (timers.c.tenant_id, timers.c.run_id, timers.c.step_id, timers.c.kind, timers.c.seq, timers.c.set_at)
    patch.setattr(journal, "_fire", Take(timers, wanted & (bindparam("now") > 0), columns))


def without_strikes(patch: Monkey) -> None:
    """A run that ends every process which claims it is claimed for ever."""
    patch.setattr(recover, "give_up", lambda *_: None)


def without_a_look_for_what_is_not_driven(patch: Monkey) -> None:
    """What this worker holds in the store is not compared with what it drives."""

    async def nothing(_self: Recover) -> None:
        return

    patch.setattr(Recover, "_bring_back_missing", nothing)


def without_a_look_at_the_revision(patch: Monkey) -> None:
    """What was decided by definitions that are not the present ones is kept."""
    for room in (accept, match):
        patch.setattr(room, "current", lambda _connection, matched: list(matched))


def without_event_keys(patch: Monkey) -> None:
    """An id is accepted each time it is given."""
    keep_keys = events.keep_keys

    def keep_all(connection: Connection, keys: Sequence[tuple[str, str, str, int]]) -> set[str]:
        keep_keys(connection, keys)
        return {event_id for _, _, event_id, _ in keys}

    patch.setattr(events, "keep_keys", keep_all)


def with_a_relay_that_reopens(patch: Monkey) -> None:
    """A relay that was slow writes over what another did with the row."""
    row = update(outbox.outbox).where(outbox._in_seqs)
    patch.setattr(outbox, "_fail", Prepared(row.values(status=bindparam("status"), error=bindparam("error"))))


def with_a_reload_that_does_not_wait(patch: Monkey) -> None:
    """The window of timers is forgotten at once, and a load that was on its way says that it is known."""

    def reload(self: Timekeep) -> None:
        self._window_end, self._last_loaded = 0, (0, "")
        self.wake()

    patch.setattr(Timekeep, "reload", reload)


def with_schedules_that_move_later(patch: Monkey) -> None:
    """An occurrence is an event in one transaction, and its schedule moves on in the next."""
    put = schedules.put

    def commit_and_put(connection: Connection, kept: Sequence[schedules.Kept]) -> None:
        _commit_half(connection)
        put(connection, kept)

    patch.setattr(schedule, "store", SimpleNamespace(**{**vars(schedules), "put": commit_and_put}))


def with_replays_that_move_later(patch: Monkey) -> None:
    """The runs of a page are made in one transaction, and its replay moves on in the next."""
    save = replays.save

    def commit_and_save(connection: Connection, tenant_id: str, after: replays.Replay) -> None:
        _commit_half(connection)
        save(connection, tenant_id, after)

    patch.setattr(replay, "store", SimpleNamespace(**{**vars(replays), "save": commit_and_save}))


def without_a_look_where_a_replay_stands(patch: Monkey) -> None:
    """Whoever read a page of a replay keeps it, wherever that stands by now."""
    patch.setattr(replay, "_present", lambda _connection, due: due.replay)


def with_schedules_that_cannot_wait(patch: Monkey) -> None:
    """What is due in a second is taken for due."""
    due = schedules.due
    patch.setattr(schedules, "due", lambda connection, now, limit: due(connection, now + 1_000_000, limit))
    patch.setattr(schedules, "next_due", lambda _connection: 0)


def without_a_look_back(patch: Monkey) -> None:
    """A run that waits does not look for what came before."""
    patch.setattr(waits, "look_back", lambda *_: None)


def without_a_look_back_for_what_cancels(patch: Monkey) -> None:
    """A run that events cancel does not look for what came before it could be found."""
    patch.setattr(awaiting, "look_back", lambda *_: None)
    patch.setattr(cancel, "look_back_all", lambda *_: {})


def with_an_event_that_is_spread_once(patch: Monkey) -> None:
    """What cancels more runs than fit into one transaction cancels the first of them."""
    patch.setattr(cancel, "RUNS_MAX", 1)
    patch.setattr(
        cancelling, "end", lambda connection, _done: connection.exec_driver_sql("DELETE FROM upshot_cancelling")
    )


def without_the_end_of_what_was_called(patch: Monkey) -> None:
    """A run that ends is not told to the run that called it."""
    patch.setattr(calls, "end", lambda *_: None)


def with_calls_kept_before_who_waits(patch: Monkey) -> None:
    """What is called is committed before the wait for its end."""
    add = waits.add

    def commit_and_add(connection: Connection, new: Sequence[waits.Wait]) -> None:
        if any(wait.event_name == RUN_ENDED for wait in new):
            _commit_half(connection)
        add(connection, new)

    patch.setattr(waits, "add", commit_and_add)


def without_counting_places(patch: Monkey) -> None:
    """Nobody looks how many runs have a place already."""
    patch.setattr(flow, "taken", lambda _connection, keys: dict.fromkeys(keys, 0))


def with_starts_that_cannot_wait(patch: Monkey) -> None:
    """What is held back for two more seconds is let go."""
    ahead, due = flow.ahead, throttled.due_starts
    patch.setattr(
        flow, "ahead", lambda connection, number: msgspec.structs.replace(ahead(connection, number), due_at=0)
    )
    patch.setattr(throttled, "due_starts", lambda connection, now, number: due(connection, now + 2_000_000, number))


def with_the_first_of_what_was_gathered(patch: Monkey) -> None:
    """A debounce starts its first event."""

    def joined(ask: Ask, window: Window | None, new_id: str, run: dict[str, Any], *rest: int) -> Window:
        return deciding.joined(ask, window, new_id, window.run if window is not None else run, *rest)

    patch.setattr(admit, "joined", joined)


def without_a_look_who_is_under_way(patch: Monkey) -> None:
    """A rule of re-entry sees nobody."""
    patch.setattr(flow, "live", lambda _connection, keys: {key: [] for key in keys})


def without_counting_loops(patch: Monkey) -> None:
    """The breaker counts no run that others caused."""
    patch.setattr(loops, "count_caused", lambda _connection, pairs, _since: dict.fromkeys(pairs, 0))


def with_a_retry_that_forgets_all(patch: Monkey) -> None:
    """What handled a failure is forgotten with it, and done again."""
    patch.setattr(reopening, "continuing", SimpleNamespace(outlasts=lambda *_: False))


def with_keys_that_are_forgotten_by_any_clock(patch: Monkey) -> None:
    """A worker whose clock is ahead forgets what another still counts with."""
    patch.setattr(housekeep, "CLOCKS_APART_MAX", 0)
    patch.setattr(housekeep, "ROUND", SECOND)  # seldom otherwise: most worlds are over within a minute


def with_branches_that_go_on_while_paused(patch: Monkey) -> None:
    """What follows in one branch begins although somebody paused the run."""
    patch.setattr(Fork, "_allowed", lambda _self, commands: commands)


def with_timers_that_fire_while_paused(patch: Monkey) -> None:
    """A run that is paused is woken like one that sleeps."""
    patch.setattr(record, "_without_timers", lambda work: work)
    parked = runs._active_in_keys & (runs.active.c.parked != 0)
    columns = [runs.active.c[name] for name in ("tenant_id", "run_id", "queue", "epoch")]
    patch.setattr(runs, "_lock_parked", Prepared(select(*columns).where(parked)))
    woken = (
        update(runs.active)
        .where(parked)
        .values(worker_id=bindparam("worker_id"), parked=0, epoch=runs.active.c.epoch + 1)
    )
    patch.setattr(runs, "_wake", Prepared(woken))


def with_changes_that_are_told_later(patch: Monkey) -> None:
    """An entity changes in one transaction, and the event that tells of it is in the next."""
    apply = entities.apply

    def apply_and_commit(*given: Any) -> Any:
        answers = apply(*given)
        _commit_half(given[0])
        return answers

    patch.setattr(membership, "entities", SimpleNamespace(**{**vars(entities), "apply": apply_and_commit}))


def with_sweeps_that_take_a_day_for_another(patch: Monkey) -> None:
    """What the index finds near the date that is meant is taken for it."""
    patch.setattr(sweep, "local_date", lambda *_: date(2027, 1, 16))


def with_bulk_operations_that_pass_over_who_sleeps(patch: Monkey) -> None:
    """What is done to all runs of a filter is not done to those that wait."""
    actionable = control.actionable
    patch.setattr(control, "actionable", lambda action: [one for one in actionable(action) if one != "waiting"])


def with_bulk_operations_on_any_automation(patch: Monkey) -> None:
    """A filter does not know the automation that it names."""
    batch = run_pages.batch

    def wider(connection: Connection, tenant_id: str, wanted: run_pages.Filter, *rest: Any) -> list[str]:
        return batch(connection, tenant_id, msgspec.structs.replace(wanted, automation_id=None), *rest)

    patch.setattr(run_pages, "batch", wider)


def with_a_publish_that_ends_one_run(patch: Monkey) -> None:
    """A publish that cancels the runs of other versions cancels the first of them."""
    batch = in_flight.batch
    patch.setattr(in_flight, "batch", lambda *given: batch(*given)[:1])


def with_membership_that_is_kept_later(patch: Monkey) -> None:
    """An entity changes in one transaction, and who joins and leaves by that is kept in the next."""

    def later(write: Callable[..., None]) -> Callable[..., None]:
        def commit_and_write(connection: Connection, members: Sequence[segments.Member], *rest: int) -> None:
            if members:
                _commit_half(connection)
            write(connection, members, *rest)

        return commit_and_write

    parts = {"join": later(segments.join), "leave": later(segments.leave)}
    patch.setattr(membership, "store", SimpleNamespace(**{**vars(segments), **parts}))


def without_a_look_where_a_segment_stands(patch: Monkey) -> None:
    """Whoever read a page of a segment keeps it and tells of it, wherever that stands by now, and nobody has it to himself."""
    keep, read = finding.keep_page, segments.read
    patch.setattr(finding, "HELD", 0)

    def keep_anyway(connection: Connection, due: segments.Due, *rest: Any) -> Any:
        def as_it_was(*given: Any, **named: Any) -> segments.Segment | None:
            kept, was = read(*given, **named), due.segment
            return kept and msgspec.structs.replace(
                kept, place=was.place, begun_at=was.begun_at, condition=was.condition
            )

        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(segments, "read", as_it_was)
            return keep(connection, due, *rest)

    patch.setattr(finding, "keep_page", keep_anyway)


def without_a_look_at_who_changed_since(patch: Monkey) -> None:
    """A page of a segment keeps what it read of entities, though they were changed meanwhile."""
    read_page, revisions = finding.read_page, dict[str, int]()

    def read(*given: Any) -> finding.Page:
        page = read_page(*given)
        revisions.update(page.revisions)
        return page

    patch.setattr(finding, "read_page", read)
    patch.setattr(segments, "lock_revisions", lambda *_: revisions)


def with_segments_that_know_no_time(patch: Monkey) -> None:
    """Nobody is asked again whom the time may have turned."""
    patch.setattr(core_segments, "_follows_clock", lambda _: False)


def with_timers_that_know_no_queue(patch: Monkey) -> None:
    """Whoever fires a run's timer drives it, whatever queues it serves."""
    patch.setattr(timekeep, "serves", lambda *_: True)


def with_new_runs_that_know_no_queue(patch: Monkey) -> None:
    """Whoever matches an event drives what it starts."""
    patch.setattr(decide, "serves", lambda *_: True)


def with_one_queue_after_flow_control(patch: Monkey) -> None:
    """What flow control lets go stands where an automation that names no queue has its runs."""
    patch.setattr(flow, "_let_go", Prepared(update(runs.active).where(flow._in_keys).values(queue=QUEUE)))


def without_a_note_that_it_begins(patch: Monkey) -> None:
    """A step at most once begins, and nothing says so."""

    async def nothing(*_: Any) -> None:
        return

    patch.setattr(Run, "_begin_once", nothing)


def with_events_that_forget_how_deep_they_are(patch: Monkey) -> None:
    """What a step emits is as deep as what caused it."""
    caused = settle.caused

    def shallow(work: Any, *rest: Any) -> Event:
        return msgspec.structs.replace(caused(work, *rest), depth=work[0].event.depth)

    patch.setattr(settle, "caused", shallow)


def with_data_that_tenants_share(patch: Monkey) -> None:
    """A change of an entity tells what the first such change of another tenant told."""
    caused, first = settle.caused, dict[str, Any]()

    def mixed(work: Any, name: str, data: dict[str, Any], *rest: Any) -> Event:
        if name == CHANGED_EVENT:
            first.setdefault(work[0].tenant_id, data)
            data = next((others for tenant_id, others in first.items() if tenant_id != work[0].tenant_id), data)
        return caused(work, name, data, *rest)

    patch.setattr(settle, "caused", mixed)


MUTATIONS: dict[Callable[[Monkey], None], tuple[set[str], dict[str, float] | None]] = {
    without_epochs: ({"I4", "I6", "I8"}, {"pause": 0.6, "slow": 0.2}),
    with_outcomes_committed_first: ({"I11"}, None),
    without_a_note_that_it_begins: ({"I9"}, {"crash": 3.0, "effect_slow": 0.8}),
    with_data_that_tenants_share: ({"I10"}, None),
    with_events_that_forget_how_deep_they_are: ({"I20"}, None),
    without_a_winner: ({"I3", "I11", "I12", "I18"}, {"cut_applied": 0.15, "edit": 5.0, "slow": 0.1}),
    without_due_instants: ({"I8"}, {"effect_raises": 0.5, "cut": 0.15, "cut_applied": 0.15}),
    without_strikes: ({"I12"}, {"deadly": 0.15}),
    without_a_look_for_what_is_not_driven: ({"I12"}, {"cut_applied": 0.15}),
    without_a_look_at_the_revision: ({"I3"}, {"edit": 5.0, "slow": 0.1}),
    without_event_keys: ({"I1"}, None),
    with_a_relay_that_reopens: ({"I4"}, {"pause": 0.8, "busy": 0.4, "slow": 0.2}),
    with_schedules_that_move_later: ({"I13"}, None),
    with_replays_that_move_later: ({"I19", "I12"}, {"replay": 3.0}),
    without_a_look_where_a_replay_stands: ({"I19"}, {"replay": 3.0, "slow": 0.3, "edit": 1.0}),
    with_schedules_that_cannot_wait: ({"I13", "I12"}, None),
    without_a_look_back: ({"I15", "I17"}, None),
    without_a_look_back_for_what_cancels: ({"I17"}, {}),
    with_an_event_that_is_spread_once: ({"I17"}, {}),
    without_the_end_of_what_was_called: ({"I12", "I16"}, {}),
    with_calls_kept_before_who_waits: ({"I11"}, {}),
    without_counting_places: ({"I7"}, {}),
    with_starts_that_cannot_wait: ({"I7", "I12"}, {}),
    with_the_first_of_what_was_gathered: ({"I11"}, {}),
    with_keys_that_are_forgotten_by_any_clock: ({"I7"}, {"clock": 1.0}),
    without_a_look_who_is_under_way: ({"I7"}, {}),
    without_counting_loops: ({"I18"}, {}),
    with_a_retry_that_forgets_all: ({"I5"}, {"retry": 2.0, "effect_raises": 0.5}),
    with_branches_that_go_on_while_paused: ({"I14"}, {"hold": 3.0, "effect_slow": 0.5}),
    with_timers_that_fire_while_paused: ({"I4", "I8", "I11", "I14"}, {"hold": 2.0}),
    with_changes_that_are_told_later: ({"I21"}, {"cut": 0.15, "change": 1.0}),
    with_sweeps_that_take_a_day_for_another: ({"I23"}, {}),
    with_bulk_operations_that_pass_over_who_sleeps: ({"I22"}, {"bulk": 2.0}),
    with_bulk_operations_on_any_automation: ({"I22"}, {"bulk": 2.0}),
    with_a_publish_that_ends_one_run: ({"I22"}, {"edit": 3.0, "effect_slow": 0.5}),
    with_membership_that_is_kept_later: ({"I21", "I24", "I25"}, {}),
    without_a_look_where_a_segment_stands: ({"I24", "I25"}, {"segment": 4.0, "slow": 0.3}),
    without_a_look_at_who_changed_since: ({"I24", "I25"}, {"segment": 6.0, "slow": 0.2, "change": 6.0}),
    with_segments_that_know_no_time: ({"I12"}, {"segment": 2.0}),
    with_timers_that_know_no_queue: ({"I26"}, {"crash": 3.0, "effect_slow": 0.8}),
    with_new_runs_that_know_no_queue: ({"I26"}, {}),
    with_one_queue_after_flow_control: ({"I26"}, {}),
    with_a_reload_that_does_not_wait: ({"I12"}, {"cut_applied": 0.3, "slow": 0.4}),
}
"""Each with the invariants that it may break, and the faults under which it is looked for (by default each seed's own)."""
FIRST_SEED: dict[Callable[[Monkey], None], int] = {
    with_branches_that_go_on_while_paused: 56,
    with_a_reload_that_does_not_wait: 32,
    with_keys_that_are_forgotten_by_any_clock: 53,
    without_a_winner: 18,
    without_a_note_that_it_begins: 10,
    with_data_that_tenants_share: 7,
    with_events_that_forget_how_deep_they_are: 2,
    with_a_relay_that_reopens: 53,
    with_membership_that_is_kept_later: SEGMENTED_FROM + 1,
    without_a_look_where_a_segment_stands: SEGMENTED_FROM + 1,
    without_a_look_at_who_changed_since: SEGMENTED_FROM + 18,
    with_segments_that_know_no_time: SEGMENTED_FROM + 3,
    with_timers_that_know_no_queue: QUEUED_FROM,
    with_new_runs_that_know_no_queue: QUEUED_FROM,
    with_one_queue_after_flow_control: QUEUED_FROM,
}
"""Where those are looked for first that most seeds would pass over, so that they take no minutes to be missed."""


@pytest.mark.timeout(900)  # one that many seeds pass over has taken 293 s on a loaded machine
@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_a_guard_that_is_taken_away_is_missed(mutate: Callable[[Monkey], None], monkeypatch: Monkey) -> None:
    expected, rates = MUTATIONS[mutate]
    mutate(monkeypatch)
    first = FIRST_SEED.get(mutate, 0)
    for seed in range(first, first + SEEDS_MAX):
        try:
            simulate(seed, Faults(dict(rates)) if rates is not None else None)
        except Broken as broken:
            assert broken.invariant in expected, broken
            print(f"{mutate.__name__}: {broken.invariant} at seed {seed}")
            return
    pytest.fail(f"{SEEDS_MAX} seeds did not miss it")

"""A worker that is stopped, or whose event loop is blocked, until others have taken over what it held: when it goes on, it
writes nothing, and whoever it calls sees the key that the others used."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.crash.cutting_proxy import CuttingProxy
from tests.crash.ledgers import Look, Provider, check_end
from tests.crash.load import Work
from tests.crash.processes import Processes, until

HELD = 20


def rows_of_the_kept(look: Look) -> list[dict[str, object]]:
    """Everything that is kept of runs and steps."""
    return look.rows("SELECT * FROM upshot_steps ORDER BY tenant_id, run_id, seq") + look.rows(
        "SELECT * FROM upshot_runs ORDER BY tenant_id, id"
    )


def test_a_worker_stopped_past_its_lease_writes_nothing_when_it_goes_on(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    provider = Provider(tmp_path)
    zombie = processes.start(fleet.but(name="zombie", events=HELD, event="crash/held"))
    zombie.until(lambda: len(provider.calls()) == HELD, "all steps are being performed")
    zombie.wait_for("given")
    zombie.send(signal.SIGSTOP)
    other = processes.start(fleet.but(name="other"))
    other.until(lambda: len(provider.calls()) == 2 * HELD, "the other worker performs them")
    (tmp_path / "go").touch()
    other.until(look.is_over, "all is over")
    before = rows_of_the_kept(look)

    zombie.send(signal.SIGCONT)
    zombie.stop()  # it drains: each action returned, and what it gave was refused
    assert rows_of_the_kept(look) == before
    other.stop()
    check_end(look, tmp_path)
    by_key = provider.callers()
    held = {key: names for key, names in by_key.items() if key.endswith(":one")}
    assert len(held) == HELD
    assert all(names == ["zombie", "other"] for names in held.values())
    assert all(names == ["other"] for key, names in by_key.items() if key not in held)


def test_a_worker_that_is_cut_off_begins_no_step_and_writes_nothing_when_it_is_back(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    """It runs all the time, and knows by its own clock that its lease is over."""
    provider, url = Provider(tmp_path), make_url(fleet.url)
    with CuttingProxy(Path(str(url.query["host"]))) as proxy:
        through = f"postgresql://postgres@/{url.database}?host={proxy.folder}"
        lost = processes.start(fleet.but(name="lost", url=through, events=HELD, event="crash/held"))
        lost.until(lambda: len(provider.calls()) == HELD, "all steps are being performed")
        lost.wait_for("given")
        proxy.part()
        other = processes.start(fleet.but(name="other"))
        other.until(lambda: len(provider.calls()) == 2 * HELD, "the other worker performs them")
        (tmp_path / "go").touch()
        other.until(look.is_over, "all is over")
        before = rows_of_the_kept(look)
        proxy.join()
        lost.stop()
        other.stop()
    assert rows_of_the_kept(look) == before
    check_end(look, tmp_path)
    assert {key.partition(":")[2] for key, names in provider.callers().items() if "lost" in names} == {"one"}


def test_a_worker_stopped_in_the_middle_of_work_does_no_harm(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    provider = Provider(tmp_path)
    zombie = processes.start(fleet.but(name="zombie", events=200, batch=2))
    other = processes.start(fleet.but(name="other", first=1_000, events=200, batch=2))
    until(lambda: len(provider.calls()) >= 100, "both work")
    zombie.send(signal.SIGSTOP)
    other.wait_for("given")
    other.until(look.is_over, "the other worker has done what both had begun")
    zombie.send(signal.SIGCONT)
    zombie.wait_for("given")
    zombie.until(look.is_over, "all is over")
    zombie.stop()
    other.stop()
    check_end(look, tmp_path)


def test_a_blocked_event_loop_keeps_its_lease_for_a_while_and_then_gives_it_up(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    provider = Provider(tmp_path)

    def expires_at() -> int | None:
        found = look.rows(f"SELECT expires_at FROM upshot_workers WHERE pid = {blocked.pid}")
        return found[0]["expires_at"] if found else None

    blocked = processes.start(fleet.but(name="blocked", events=1, event="crash/blocked", stall_seconds=3.0))
    blocked.until(provider.calls, "its event loop is blocked")
    at_first = expires_at()
    assert at_first is not None
    blocked.until(lambda: (expires_at() or 0) > at_first, "its heartbeat renewed the lease all the same")
    other = processes.start(fleet.but(name="other"))
    other.until(lambda: len(provider.calls()) == 2, "it gave its lease up, and another worker took over")
    (tmp_path / "go").touch()
    other.until(look.is_over, "all is over")
    other.stop()
    blocked.stop()
    check_end(look, tmp_path)
    (first,) = {key for key, names in provider.callers().items() if names == ["blocked", "other"]}
    assert first.endswith(":one")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_old_workers_go_and_new_ones_come_while_work_is_under_way(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path, number: signal.Signals
) -> None:
    """A step that does not end holds up no restart. SIGTERM hands everything back at once, long before the lease would end;
    after SIGKILL the others wait for that end."""
    provider = Provider(tmp_path)
    lease_seconds = 45.0 if number == signal.SIGTERM else 2.0
    old = fleet.but(lease_seconds=lease_seconds, drain_seconds=0.3)
    holding = processes.start(old.but(name="holding", events=5, event="crash/held"))
    holding.until(lambda: len(provider.calls()) == 5, "five steps are being performed")
    working = processes.start(old.but(name="working", first=100, events=100, event="crash/three", batch=2))
    working.until(lambda: len(provider.calls()) > 20, "work is under way")
    new = processes.start(fleet.but(name="new", first=1_000, events=100, event="crash/three", batch=2))
    new.wait_for("ready")
    holding.send(number)
    assert holding.ended() == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    working.wait_for("given")
    working.stop()
    new.until(lambda: sum(names[-1] != "holding" for names in held(provider).values()) == 5, "the others took over", 40)
    (tmp_path / "go").touch()
    new.wait_for("given")
    new.until(look.is_over, "all is over")
    new.stop()
    check_end(look, tmp_path)
    driven_twice = {key for key, names in provider.callers().items() if len(names) > 1}
    assert driven_twice <= set(held(provider)), "only what was cut off is done again"


def held(provider: Provider) -> dict[str, list[str]]:
    """Who called the steps that were cut off."""
    return {key: names for key, names in provider.callers().items() if names[0] == "holding"}

"""A PostgreSQL server that dies under load, again and again, in every way there is."""

import contextlib
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.crash.ledgers import Kept, Look, Provider, check_end
from tests.crash.load import Work, prepare
from tests.crash.postgresql_server import Server
from tests.crash.processes import Engine, Processes, until

EVENTS, DEATHS = 1_000, 6
STEPS_BETWEEN_MAX = 300


def kill_the_server(folder: Path, seed: int) -> int:
    """Let a server of its own die so often under two workers; how many events there were."""
    chance = random.Random(seed)
    with Server() as server, Processes() as processes:
        work = Work(url=server.create("chaos"), folder=str(folder), batch=2)
        prepare(work)
        half = EVENTS // 2
        engines = [
            processes.start(work.but(name=f"worker-{n}", first=n * half, events=half, host_rows=0 if n else 50))
            for n in range(2)
        ]
        look, provider, kept = Look(work.url), Provider(folder), list[Kept]()
        for _ in range(DEATHS):
            enough = len(provider.calls()) + chance.randrange(STEPS_BETWEEN_MAX)
            until(lambda enough=enough: len(provider.calls()) >= enough or all_given(engines), "steps are performed")
            die(server, chance.choice(("stop_at_once", "kill", "kill_a_backend")))
            server.start()
            look.close()
            until(lambda: answers(look, lambda: kept.append(Kept(look, folder))), "the database is back")
        for engine in engines:
            engine.wait_for("given")
        engines[0].until(lambda: answers(look, look.is_over), "all is over", 120)
        for engine in engines:
            engine.stop()
        snapshot = check_end(look, folder)
        for earlier in kept:
            earlier.raise_if_called_again()
        look.close()
    return len(snapshot.events)


def die(server: Server, how: str) -> None:
    """Have the server die: with all its processes, or of one whose end it cannot explain to itself."""
    if how != "kill_a_backend":
        getattr(server, how)()
        return
    with contextlib.suppress(ProcessLookupError, IndexError):  # it may just have ended
        os.kill(server.backends("%upshot%")[0], signal.SIGKILL)


def all_given(engines: list[Engine]) -> bool:
    """Whether every worker has given what it had to give."""
    return all("given" in engine.said() for engine in engines)


def answers(look: Look, ask: Callable[[], bool | None]) -> bool:
    """Whether the database answers, and not with no. A server that lost a backend takes a moment to notice, and then ends all
    connections, this one too."""
    try:
        return ask() is not False
    except psycopg.OperationalError:
        look.close()
        return False

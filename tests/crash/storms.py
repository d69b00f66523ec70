"""A storm: one tenant's thousands of events at once, while workers die."""

import random
from pathlib import Path

from tests.crash.databases import prepared
from tests.crash.ledgers import Look, Provider, check_end
from tests.crash.load import TENANT, Work, build, event
from tests.crash.processes import Processes

EVENTS, BATCH = 5_000, 500


def storm(kind: str, folder: Path, seed: int) -> int:
    """Accept them all before an engine runs; one worker dies in the middle, the next does the rest. How many there were."""
    chance = random.Random(seed)
    with prepared(kind, folder) as url, Processes() as processes:
        work, look, provider = Work(url=url, folder=str(folder)), Look(url), Provider(folder)
        upshot = build(work)
        for first in range(0, EVENTS, BATCH):
            upshot.events.accept(TENANT, [event(number, "crash/three") for number in range(first, first + BATCH)])
        upshot.close()
        engine = processes.start(work)
        enough = chance.randrange(EVENTS)
        engine.until(lambda: len(provider.calls()) >= enough, "steps are performed", 120)
        engine.kill()
        last = processes.start(work)
        last.until(look.is_over, "all is over", 180)
        last.stop()
        snapshot = check_end(look, folder)
        look.close()
    return len(snapshot.events)

"""The peers that are measured beside us: which there are, and the ways each is run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peers.peer import Peer

PEERS = ("dbos", "procrastinate", "celery", "restate", "bullmq")


def ways(peer: str, benchmark: str, folder: Path) -> "Iterator[Peer]":
    """Every way of running this peer that is measured by this benchmark, each in a folder of its own."""
    from peers.bullmq_node import BullMQ
    from peers.celery_redis import Celery
    from peers.dbos_transact import Dbos
    from peers.procrastinate_postgres import Procrastinate
    from peers.restate_hypercorn import Restate

    kinds = {"dbos": Dbos, "procrastinate": Procrastinate, "celery": Celery, "restate": Restate, "bullmq": BullMQ}
    for way in kinds[peer].ways(folder):
        if benchmark in way.does:
            yield way

"""What the services of one process share: its identity, its store, its clock, what it knows."""

import base64
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from upshot.adapters import causes
from upshot.adapters.clock import Clock
from upshot.core.queues import EVERY
from upshot.core.retention import Retention
from upshot.engine.changes import Changes
from upshot.engine.commit import GroupCommit
from upshot.engine.definitions import Definitions
from upshot.engine.metrics import Metrics
from upshot.engine.reads import Reads

if TYPE_CHECKING:
    from upshot.core.action import ActionRegistry, Outbound
    from upshot.store.database import Database


@dataclass
class Limits:
    """Bounds of one process. They may be changed until its engine starts."""

    runs_max: int = 2_000
    """Runs driven at once; further ones wait in the store for room."""
    sleepers_max: int = 10_000
    """Sleeping runs kept in memory because their timer is near."""
    strikes_max: int = 5
    """Claims without progress after which a run or event is given up on and kept as a dead letter."""
    lease_seconds: float = 6.0
    """How long what a worker holds stays its own without a sign of life."""
    stall_seconds: float = 60.0
    """How long a worker's event loop may stand still before it gives its lease up."""
    sweep_page: int = 20
    """Entities that a schedule goes through in one transaction, a quarter of it while several tenants have work. The next page
    waits until about as few of the tenant's runs are being driven here."""
    drain_seconds: float = 10.0
    """How long steps in flight may take to end once the worker stops."""
    loop_runs_max: int = 300
    """Runs of one automation that other runs may cause for one entity within `loop_window_seconds`; 0: any number."""
    loop_window_seconds: int = 600
    queues: frozenset[str] = frozenset({EVERY})
    """The queues this process serves: it drives only runs of these."""


@dataclass(frozen=True)
class Process:
    """One worker process of the engine."""

    worker_id: str
    database: "Database"
    commit: GroupCommit
    reads: Reads
    clock: Clock
    definitions: Definitions
    actions: "ActionRegistry"
    outbound: "Outbound"
    secrets: "Secrets"
    changes: Changes = field(default_factory=Changes)
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    metrics: Metrics = field(default_factory=Metrics)
    prune_every_hours: int = 6
    """How often the engine prunes; 0: never by itself."""


class Secrets:
    """The secrets that are derived from the installation's key, one per tenant, and never stored."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, tenant_id: str) -> str:
        """The tenant's webhook signing secret in the form Standard Webhooks gives it: `whsec_` and base64."""
        made = hmac.digest(self._key, f"webhook-signing:{tenant_id}".encode(), "sha256")
        return "whsec_" + base64.b64encode(made).decode()

    def cause_text(self, tenant_id: str, cause: causes.Cause) -> str:
        """The header by which a request of this tenant's run says what caused it."""
        return causes.write(self._cause_key(tenant_id), cause)

    def cause(self, tenant_id: str, text: str | None) -> causes.Cause | None:
        """What the header of a request to this tenant tells of its causes; None when it tells nothing."""
        return causes.read(self._cause_key(tenant_id), text)

    def _cause_key(self, tenant_id: str) -> bytes:
        return hmac.digest(self._key, f"causes:{tenant_id}".encode(), "sha256")

"""What the engine gives an action beside its arguments."""

import math
from typing import TYPE_CHECKING, Any

from upshot.adapters import causes
from upshot.core.instants import to_text
from upshot.core.strict_json import encode

if TYPE_CHECKING:
    from upshot.core.action import Outbound
    from upshot.engine.live_run import LiveRun
    from upshot.engine.process import Process

LINES_MAX = 200
LINE_MAX = 2_000
INTEGER_MAX = 2**63


class StepContext:
    """One attempt, as its action sees it. The tenant is the engine's to say, never the action's."""

    __slots__ = ("_cause", "_lines", "_process", "attempt", "now", "run_id", "step_id", "tenant_id", "test")

    def __init__(self, process: "Process", run: "LiveRun", step_id: str, attempt: int, now: int) -> None:
        self._process = process
        self._lines: list[dict[str, Any]] = []
        self.tenant_id, self.run_id, self.step_id = run.tenant_id, run.id, step_id
        self.attempt, self.now, self.test = attempt, now, run.test
        self._cause = run.event

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step of this run, also after a crash."""
        return f"{self.run_id}:{self.step_id}"

    @property
    def http(self) -> "Outbound":
        """The guarded HTTP client."""
        return self._process.outbound

    @property
    def signing_secret(self) -> str:
        """The tenant's webhook signing secret (`whsec_...`)."""
        return self._process.secrets.of(self.tenant_id)

    @property
    def cause_header(self) -> tuple[str, str]:
        """The header by which a request says what caused it, so that what comes back of it is known for its consequence."""
        event = self._cause
        cause = causes.Cause(event.depth, event.root_id, self.run_id, self.step_id)
        return causes.HEADER, self._process.secrets.cause_text(self.tenant_id, cause)

    def log(self, line: str, **fields: Any) -> None:
        """Write a line into the attempt's log: at most 200 lines of 2,000 characters; more is dropped, and said."""
        if len(self._lines) < LINES_MAX:
            kept: dict[str, Any] = {"at": to_text(self._process.clock.now()), "text": clean_text(str(line))}
            if fields:
                kept["fields"] = {clean_text(name): _kept_field(value) for name, value in fields.items()}
            self._lines.append(kept)
        elif len(self._lines) == LINES_MAX:
            self._lines.append({"at": to_text(self._process.clock.now()), "text": "Further lines were dropped."})

    def log_text(self) -> str | None:
        """The lines as they are kept."""
        return encode(self._lines) if self._lines else None


def clean_text(text: str) -> str:
    """The first 2,000 characters, with what no database keeps (NUL, lone surrogates) replaced."""
    return text[:LINE_MAX].replace("\x00", "\ufffd").encode(errors="replace").decode()


def _kept_field(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    is_number = (isinstance(value, int) and abs(value) < INTEGER_MAX) or (
        isinstance(value, float) and math.isfinite(value)
    )
    return value if is_number else clean_text(repr(value))

"""One attempt of a step, as an action sees it, without an engine around it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upshot.core.action import Action, Outbound, Reply

NOW = 1_800_000_000_000_000
RUN_ID = "01a3172c-5cf9-7000-8000-000000000001"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class NoNetwork:
    """An action that should not call out fails here if it does."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        deadline_seconds: float | None = None,
    ) -> Reply:
        raise AssertionError(f"{method} {url}, although nothing should be sent")


@dataclass
class Step:
    """The context of one attempt; `lines` are what the action logged."""

    tenant_id: str = "clinic"
    run_id: str = RUN_ID
    step_id: str = "note"
    attempt: int = 1
    now: int = NOW
    test: bool = False
    http: Outbound = field(default_factory=NoNetwork)
    signing_secret: str = SECRET
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    @property
    def idempotency_key(self) -> str:
        return f"{self.run_id}:{self.step_id}"

    @property
    def cause_header(self) -> tuple[str, str]:
        return "upshot-cause", "depth=0"

    def log(self, line: str, **fields: Any) -> None:
        self.lines.append((line, fields))


def perform(action: Action, arguments: dict[str, Any], step: Step | None = None) -> Any:
    """Validate and perform, as the engine does for a plain function."""
    return action.perform(action.validate(arguments), step or Step())

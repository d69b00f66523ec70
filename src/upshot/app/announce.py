"""Telling live pages what changed through the nouns; the engine tells what changed through runs."""

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


def announce(upshot: "Upshot", tenant_id: str, kind: str, **facts: Any) -> None:
    """Tell the tenant's live pages, if any listen in this process. A hint: it may be lost, and nothing depends on it."""
    loop, changes = upshot.engine.loop, upshot.engine.process.changes
    if loop is not None and changes.wanted(tenant_id):
        loop.call_soon_threadsafe(partial(changes.tell, tenant_id, kind, **facts))

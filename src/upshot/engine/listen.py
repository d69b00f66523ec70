"""Listen: hints from and to the other processes of a fleet, so that nobody waits for a poll where a word would do."""

import logging
import threading
from collections.abc import Callable

import msgspec

from upshot.core.errors import Busy
from upshot.engine.process import Process
from upshot.store import hints
from upshot.store.hints import CHANGED, TEXT_MAX

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 0.5
RECONNECT_SECONDS = 2.0


class Listen:
    """The service that tells other processes which tenants' pages should look again, and hears what they tell."""

    name = "listen"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.on_hint: Callable[[str], None] = lambda _: None
        """Called on the listener's thread: `events`, `runs`, or empty when anything may have been missed."""
        self.on_changed: Callable[[list[str]], None] = lambda _: None
        """Called on the listener's thread with the tenants of which something changed elsewhere."""

    async def poll(self) -> float:
        """Say which tenants something changed of, at most twice a second."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="upshot-listen", daemon=True)
            self._thread.start()
        process = self._process
        touched = process.changes.take_touched()
        if touched:
            said = msgspec.json.encode([process.worker_id, sorted(touched)]).decode()
            if len(said) < TEXT_MAX:
                try:
                    await process.commit.run_async(lambda c: hints.send(c, f"{CHANGED} {said}"))
                except Busy:
                    log.debug("a hint could not be sent; pages look by themselves in a while")
        return POLL_SECONDS

    def stop(self) -> None:
        """Stop listening, within about a second."""
        self._stopping.set()

    def _listen(self) -> None:
        url = self._process.database.direct_url
        while not self._stopping.is_set():
            try:
                hints.listen(url, self._told, self._stopping.is_set)
            except Exception as error:  # noqa: BLE001 - whatever ended it: a hint is never the truth, and polls go on
                self._process.metrics.hint_reconnects += 1
                log.warning("hints from other processes are not heard for now; polls find what there is: %s", error)
                self._stopping.wait(RECONNECT_SECONDS)

    def _told(self, hint: str) -> None:
        if not hint.startswith(CHANGED):
            self.on_hint(hint)
            return
        try:
            sender, tenants = msgspec.json.decode(hint.removeprefix(CHANGED), type=tuple[str, list[str]])
        except msgspec.MsgspecError:  # another release says it otherwise; it is but a hint
            return
        if sender != self._process.worker_id:
            self.on_changed(tenants)

"""The ground truth of every measurement of a peer: one line per step and run, `KEY STEP NANOSECONDS`, by the monotonic clock.

Each is written with one write(2) to a file that the writing process has for itself, so no line is ever torn. The steps are `1`,
`2` and `3`, written in their bodies, `s` where a run goes to sleep, and `a` where its submission was acknowledged.
Imports nothing but the standard library: the peers' own programs write with it.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path


class Tracing:
    """Writes this process's trace."""

    def __init__(self, folder: str) -> None:
        name = Path(folder) / f"{os.getpid()}-{time.monotonic_ns()}.trace"
        self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, key: str, step: str) -> None:
        """This step of this run happens now."""
        os.write(self._file, f"{key} {step} {time.monotonic_ns()}\n".encode())


class Trace:
    """Reads the traces of all processes as they grow: `times[step][key]` is when, in nanoseconds, each time it happened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_up_to: dict[Path, int] = {}
        self.times: dict[str, dict[str, list[int]]] = defaultdict(dict)

    def read(self) -> None:
        """Read what was written meanwhile."""
        for path in self._folder.glob("*.trace"):
            at = self._read_up_to.get(path, 0)
            with path.open("rb") as file:
                file.seek(at)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read_up_to[path] = at + len(whole)
            for line in whole.decode().splitlines():
                key, step, moment = line.split(" ")
                self.times[step].setdefault(key, []).append(int(moment))

    def wait(self, is_enough: Callable[[], bool], seconds: float, *, every: float = 0.005) -> bool:
        """Read until it is enough, or so many seconds have gone by; whether it was enough."""
        give_up_at = time.monotonic() + seconds
        while True:
            self.read()
            if is_enough():
                return True
            if time.monotonic() > give_up_at:
                return False
            time.sleep(every)

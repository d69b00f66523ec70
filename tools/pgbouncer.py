"""Prints the path of PgBouncer for the tests, finding or installing it; prints nothing when there is none, and says on stderr
what to install."""

import os
import shutil
import subprocess
import sys


def main() -> None:
    """Print where it is."""
    path = on_the_system() or by_the_package_manager()
    if path:
        print(path)
    else:
        say("no PgBouncer could be found or installed. Install it (Debian: apt-get install pgbouncer)")


def on_the_system() -> str | None:
    """A PgBouncer on the path, or where Debian keeps it from the path of those who are not root."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/sbin")


def by_the_package_manager() -> str | None:
    """Debian's package, where we may install it."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    say("installing PgBouncer by apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "pgbouncer"]):
        command = ["apt-get", "--quiet", *arguments]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            say(done.stderr.strip()[-300:])
    return on_the_system()


def say(line: str) -> None:
    """One line of what is being done."""
    print(f"upshot: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Prints the path of PgBouncer for the tests, finding or installing it; prints nothing when there is none, and says on stderr
what to install."""

import shutil

from debian import install, say


def main() -> None:
    """Print where it is."""
    path = on_the_system()
    if not path:
        install("pgbouncer")
        path = on_the_system()
    if path:
        print(path)
    else:
        say("no PgBouncer could be found or installed. Install it (Debian: apt-get install pgbouncer)")


def on_the_system() -> str | None:
    """A PgBouncer on the path, or where Debian keeps it from the path of those who are not root."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/sbin")


if __name__ == "__main__":
    main()

"""Installs Debian's packages for the other tools, where we may, and says on stderr what is being done."""

import os
import shutil
import subprocess
import sys


def install(package: str) -> None:
    """Install this package by apt-get, if there is one and we are root; what went wrong is said."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    say(f"installing {package} by apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        command = ["apt-get", "--quiet", *arguments]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            say(done.stderr.strip()[-300:])


def say(line: str) -> None:
    """One line of what is being done."""
    print(f"upshot: {line}", file=sys.stderr, flush=True)

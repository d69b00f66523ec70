"""Prints the path of a Chromium for the browser tests, finding or installing one; prints nothing when there is none, and
says on stderr what to install. `UPSHOT_TEST_BROWSER=off` turns the browser tests off, visibly."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def main() -> None:
    """Print where the browser is."""
    if os.environ.get("UPSHOT_TEST_BROWSER") == "off":
        return
    path = on_the_system() or by_playwright() or by_the_package_manager()
    if path:
        print(path)
    else:
        say("no browser could be found or installed. Install Chromium (Debian: apt-get install chromium)")


def on_the_system() -> str | None:
    """A Chromium on the path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def by_playwright() -> str | None:
    """The build that Playwright has, or can install."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    if not path.exists():
        say("installing Chromium by Playwright")
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, check=False, timeout=300, capture_output=True)
    return str(path) if path.exists() else None


def by_the_package_manager() -> str | None:
    """Debian's package, where we may install it."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    say("installing Chromium by apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
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

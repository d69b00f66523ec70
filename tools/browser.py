"""Prints the path of a Chromium for the browser tests, finding or installing one; prints nothing when there is none, and
says on stderr what to install. `UPSHOT_TEST_BROWSER=off` turns the browser tests off, visibly."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from debian import install, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def main() -> None:
    """Print where the browser is."""
    if os.environ.get("UPSHOT_TEST_BROWSER") == "off":
        return
    path = on_the_system() or by_playwright()
    if not path:
        install("chromium")
        path = on_the_system()
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


if __name__ == "__main__":
    main()

"""A real `upshot dev` with the clinic's sample data, and a real Chromium that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

IS_OFF = os.environ.get("UPSHOT_TEST_BROWSER") == "off"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
READY = "ready on"
PATIENCE = 30_000  # milliseconds, for a slow machine; a test waits only as long as it must
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run one after another on one worker; `UPSHOT_TEST_BROWSER=off` turns them off by hand, visibly."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.timeout(180))
            if IS_OFF:
                item.add_marker(pytest.mark.skip(reason="UPSHOT_TEST_BROWSER=off"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "upshot.cli", "dev", "--demo", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if READY in line:
            break
    assert process.poll() is None, "upshot dev did not start:\n" + "".join(lines)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed with its module: while it is open its event loop runs in this thread, and other tests have their own."""
    path = os.environ.get("UPSHOT_TEST_BROWSER_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no browser: install Chromium (Debian: apt-get install chromium), or set UPSHOT_TEST_BROWSER=off"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A fresh page; anything it writes to the console as an error fails the test."""
    context = chromium.new_context(base_url=server, viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []

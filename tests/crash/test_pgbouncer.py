"""Through PgBouncer in transaction mode, where no connection is a session: hints go past it, everything else through it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.crash.ledgers import Look, Provider, check_end, expected_runs
from tests.crash.load import Work, build
from tests.crash.processes import ROOT, Processes, until

EVENTS = 200
PORT = 6432
SETTINGS = """
[databases]
* = host={server} user=postgres
[pgbouncer]
pool_mode = transaction
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
default_pool_size = 6
max_client_conn = 100
logfile = {folder}/log
"""


@pytest.fixture(scope="module")
def program() -> str:
    """PgBouncer, found or installed."""
    command = [sys.executable, str(ROOT / "tools" / "pgbouncer.py")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    assert found.stdout.strip(), found.stderr
    return found.stdout.strip()


@pytest.fixture
def pooled(program: str, fleet: Work) -> Iterator[Work]:
    """The same work, with its URL going through PgBouncer and its direct URL past it."""
    folder = Path(tempfile.mkdtemp(prefix="upshot-bouncer-"))
    url = make_url(fleet.url)
    settings = folder / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(server=url.query["host"], folder=folder, port=PORT))
    user: dict[str, object] = {}
    if os.geteuid() == 0:  # it refuses to be root; whoever the server is may reach the server's socket
        name = Path(str(url.query["host"])).owner()
        for path in (folder, settings):
            shutil.chown(path, name)
        folder.chmod(0o755)
        user = {"user": name, "extra_groups": []}
    bouncer = subprocess.Popen([program, "-q", str(settings)], **user)  # type: ignore[call-overload] - as above
    through = f"postgresql://postgres@/{url.database}?host={folder}&port={PORT}"
    try:
        until(lambda: _answers(through), "PgBouncer answers")
        yield fleet.but(url=through, direct_url=fleet.url)
    finally:
        bouncer.send_signal(signal.SIGKILL)
        bouncer.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, prepare_threshold=None) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    return False


def test_two_workers_through_a_transaction_pooler_do_everything_once(
    pooled: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    engines = [
        processes.start(
            pooled.but(name=f"worker-{n}", first=n * EVENTS // 2, events=EVENTS // 2, host_rows=0 if n else 20)
        )
        for n in range(2)
    ]
    for engine in engines:
        engine.wait_for("ready")
    until(lambda: look.number(LISTENERS) == 2, "both listen, past the pooler")
    upshot = build(pooled)
    for number in range(30):  # more statements on one connection than the driver takes before it would prepare them
        upshot.emit("crash/three", {"number": number}, id=f"of-nobody-{number}")
    upshot.close()
    for engine in engines:
        engine.wait_for("given")
    engines[0].until(look.is_over, "all is over")
    engines[0].kill()
    engines[1].stop()
    snapshot = check_end(look, tmp_path)
    assert len(snapshot.runs) == expected_runs(EVENTS) + 20 + 30
    assert Provider(tmp_path).calls()


LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"

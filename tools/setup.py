"""Installs what is locked into .venv. Needs nothing but the Python that runs it (3.11 or newer) and pip's registry."""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV_VERSION = "0.13.8"
PYTHON_MIN = (3, 11)
LOCKS = {
    "dev": (["--group", "dev", "--extra", "code"], ROOT / ".venv"),
    "bench": (["--group", "bench"], ROOT / ".venv-bench"),
}


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", action="store_true", help="install the benchmarks' peers into .venv-bench")
    parser.add_argument("--lock", action="store_true", help="resolve the dependencies anew")
    arguments = parser.parse_args()
    if sys.version_info < PYTHON_MIN:
        version = sys.version.split()[0]
        sys.exit(f"upshot: Python 3.11 or newer is needed, {sys.executable} is {version}: make PYTHON=python3.12 ...")
    if arguments.lock:
        for name in LOCKS:
            resolve(name)
    else:
        install("bench" if arguments.bench else "dev")


def install(name: str) -> None:
    """Bring one environment to its lock, if it is not there already, and compile what of our own has changed."""
    _, place = LOCKS[name]
    lock = ROOT / "requirements" / f"{name}.lock"
    stamp = place / "upshot-lock.sha256"
    wanted = hashlib.sha256(lock.read_bytes() + project_tables()).hexdigest()
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (python.exists() and stamp.is_file() and stamp.read_text() == wanted):
        if not python.exists():
            say(f"making {place.name} with Python {sys.version.split()[0]}")
            shutil.rmtree(place, ignore_errors=True)  # what a Python that is gone has left
            uv("venv", "--quiet", "--python", sys.executable, str(place))
        say(f"installing {lock.relative_to(ROOT)} into {place.name}")
        locked = ["--compile-bytecode", "--require-hashes", str(lock)]
        uv("pip", "sync", "--quiet", "--python", str(python), *locked)
        editable = ["--quiet", "--python", str(python), "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        uv("pip", "install", *editable)
        stamp.write_text(wanted)
    # As an installed wheel has it: where Python may not write bytecode, each process would compile all that it imports.
    # What does not compile is for the checks to tell.
    subprocess.run([str(python), "-m", "compileall", "-qq", "src"], cwd=ROOT, check=False)


def project_tables() -> bytes:
    """The part of pyproject.toml that an installation depends on; the settings of the checks are not."""
    import tomllib  # Python 3.11: asked for only after the version has been looked at

    with (ROOT / "pyproject.toml").open("rb") as file:
        tables = tomllib.load(file)
    return repr((tables["build-system"], tables["project"])).encode()


def resolve(name: str) -> None:
    """Write one lock anew: names, versions and hashes for every platform, and no registry's address."""
    groups, _ = LOCKS[name]
    say(f"resolving requirements/{name}.lock")
    options = ["--universal", "--generate-hashes", "--python-version", "3.11", "--no-header", "--no-annotate"]
    output = str(ROOT / "requirements" / f"{name}.lock")
    uv("pip", "compile", "--quiet", "pyproject.toml", *groups, *options, "--no-emit-index-url", "-o", output)


def uv(*arguments: str) -> None:
    """Run uv: the one on the path, or one of our own in .tools."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run([find_uv(), *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"upshot: `uv {arguments[0]} {arguments[1]}` failed; the lines above say why.")


def find_uv() -> str:
    """The path of a uv, installed into .tools when there is none."""
    found = shutil.which("uv")
    if found:
        return found
    folder = ROOT / ".tools"
    own = folder / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    if not own.exists():
        say(f"installing uv {UV_VERSION} into .tools")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(own.with_name("python.exe" if os.name == "nt" else "python")), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", f"uv=={UV_VERSION}"], check=True)
    return str(own)


def say(line: str) -> None:
    """One line of what is being done."""
    print(f"upshot: {line}", flush=True)


if __name__ == "__main__":
    main()

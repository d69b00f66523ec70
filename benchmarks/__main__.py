"""Run every benchmark, one after another, each in a process of its own, and sum up: `python benchmarks`.

`--quick` takes three minutes, not ten. DBOS is measured beside us where it can do the same work, unless `--alone` is
given. The lines of a run of all of them are kept in `figures.jsonl`; `--readme` writes that file's figures into the table
of `README.md`, so that what is quoted there came from a real run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEPT = HERE / "figures.jsonl"
README = HERE / "README.md"
PROGRAMS = {"runs": True, "latency": True, "timers": False, "match": False, "ingest": False}
"""Every benchmark, and whether it can measure a peer."""
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> int:
    """Run what is asked for; 0 when every benchmark gave its figures."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (all: {', '.join(PROGRAMS)})")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--alone", action="store_true", help="measure no peer")
    parser.add_argument("--readme", action="store_true", help="write the figures of the last run into README.md")
    given = parser.parse_args()
    if given.readme:
        write_readme()
        return 0
    unknown = set(given.names) - set(PROGRAMS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    more = ["--quick"] * given.quick
    command = " ".join(["python benchmarks", *given.names, *more, *["--alone"] * given.alone])
    lines: list[dict[str, Any]] = [run_facts(command)]
    failed: list[str] = []
    chosen = given.names or list(PROGRAMS)
    for number, name in enumerate(chosen, 1):
        say(f"[{number}/{len(chosen)}] {name}")
        beside = ["--peer", "dbos"] if PROGRAMS[name] and not given.alone else []
        found, is_whole = run_one(name, [*more, *beside])
        lines += found
        if not is_whole:
            failed.append(name)
    if not given.names:
        KEPT.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(table(lines[1:]), file=sys.stderr)
    for name in failed:
        say(f"{name} FAILED; what it said is above")
    return 1 if failed else 0


def say(text: str) -> None:
    """Say on standard error what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run_one(name: str, arguments: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """Run one benchmark and pass its lines on; the figures, and whether it ended well."""
    command = [sys.executable, HERE / f"{name}.py", *arguments]
    found: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # it is a pipe, as asked for above
        for line in process.stdout:
            print(line, end="", flush=True)
            found.append({"benchmark": name, **json.loads(line)})
    return found, process.returncode == 0


def run_facts(command: str) -> dict[str, Any]:
    """Where and when the figures were made, and by what command."""
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "processor": processor(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def processor() -> str:
    """The processor as the system names it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def table(lines: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    rows = ["| benchmark | figure | store | who | value | ours is |", "| --- | --- | --- | --- | ---: | ---: |"]
    for line in lines:
        value = f"{line['value']:,} {line['unit']}"
        ratio = f"{line['ratio']:,} x" if "ratio" in line else ""
        who = line.get("peer", "the machine" if line["figure"].startswith("disk") else "upshot")
        rows.append(f"| {line['benchmark']} | {line['figure']} | {line['store']} | {who} | {value} | {ratio} |")
    return "\n".join(rows)


def write_readme() -> None:
    """Put the kept figures between the markers of the README."""
    if not KEPT.exists():
        raise SystemExit(f"There are no figures yet: {KEPT.name} is written by `python benchmarks` without names.")
    facts, *lines = (json.loads(line) for line in KEPT.read_text().splitlines())
    made = (
        f"Made {facts['date']} by `{facts['command']}` on {facts['cores']} cores ({facts['processor']}), "
        f"{facts['system']}, Python {facts['python']}."
    )
    text = README.read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    README.write_text(f"{head}{BEGIN}\n{made}\n\n{table(lines)}\n{END}{tail}")
    say(f"{len(lines)} figures written into {README.name}")


if __name__ == "__main__":
    raise SystemExit(main())

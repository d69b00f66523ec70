"""Run every benchmark, one after another, each in a process of its own, and sum up: `python -m benchmarks`.

All of them, both stores and every peer take up to an hour; `--quick` a few minutes. `python -m benchmarks runs --peer
bullmq` runs one of them with the options it takes itself (`--store`, `--peer`, `--workers`). `--long` runs what takes longest
instead, a million sleepers and five million finished runs. A whole run keeps its lines in `figures.jsonl` (of `--long` in
`figures-long.jsonl`, of `--quick` nowhere); `crash --keep` runs one of them as a whole run does and puts its lines in the place
of its earlier ones; `--readme` writes both files into the table of `README.md`.
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
KEPT, KEPT_LONG = HERE / "figures.jsonl", HERE / "figures-long.jsonl"
README = HERE / "README.md"
BOTH = ("--store", "sqlite", "--store", "postgres")
ALL_PEERS = ("--peer", "all")
WHOLE: dict[str, tuple[str, ...]] = {
    "runs": (*BOTH, "--workers", "1,2,4", *ALL_PEERS),
    "latency": (*BOTH, *ALL_PEERS),
    "timers": (*BOTH, *ALL_PEERS),
    "long_runs": BOTH,
    "crash": (*BOTH, *ALL_PEERS),
    "storm": BOTH,
    "schedules": BOTH,
    "waits": BOTH,
    "sleepers": BOTH,
    "history": BOTH,
    "retention": (),
    "match": (),
    "ingest": (),
    "backtest": BOTH,
}
"""Every benchmark, and its options in a whole run."""
QUICK = {name: tuple(option for option in options if option not in ALL_PEERS) for name, options in WHOLE.items()}
"""The same in a quick run, where the peers are measured in throughput and latency only."""
QUICK |= {"runs": (*BOTH, "--workers", "1,2", *ALL_PEERS), "latency": WHOLE["latency"], "history": ()}
LONG = ("sleepers", "history")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> int:
    """Run what is asked for; 0 when every benchmark gave its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list(WHOLE), help="one of them, with its own options")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--alone", action="store_true", help="measure no peer")
    parser.add_argument("--long", action="store_true", help="the longest ones, in full size")
    parser.add_argument(
        "--keep", action="store_true", help="as in a whole run; its lines replace its earlier ones there"
    )
    parser.add_argument("--readme", action="store_true", help="write the figures of the last runs into README.md")
    given, options = parser.parse_known_args()
    if given.readme:
        write_readme()
        return 0
    if options and given.name is None:
        parser.error(f"{' '.join(options)}: name the benchmark they are for")
    if given.keep and (options or given.quick or given.alone or given.name is None):
        parser.error("--keep: name one benchmark, and nothing else but --long")
    kept = KEPT_LONG if given.long else KEPT
    earlier = read_kept(kept) if given.keep else []
    chosen = [given.name] if given.name else list(LONG if given.long else WHOLE)
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    lines: list[dict[str, Any]] = [run_facts(command)]
    failed: list[str] = []
    began = time.monotonic()
    for number, name in enumerate(chosen, 1):
        say(f"[{number}/{len(chosen)}] {name}")
        own = (
            options
            if given.name and not given.keep
            else default_options(name, is_quick=given.quick, is_alone=given.alone)
        )
        found, is_whole = run_one(name, [*own, *["--quick"] * given.quick, *["--long"] * (given.long and name in LONG)])
        lines += found
        if not is_whole:
            failed.append(name)
    if given.keep and not failed:
        lines = with_part(earlier, chosen[0], lines)
    is_kept = not failed if given.keep else not (given.name or given.quick)
    if is_kept:
        kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(table(lines[1:]), file=sys.stderr)
    say(f"done in {(time.monotonic() - began) / 60:.1f} minutes")
    for name in failed:
        say(f"{name} FAILED; what it said is above")
    return 1 if failed else 0


def read_kept(path: Path) -> list[dict[str, Any]]:
    """The lines of the last whole run, and of what was measured again since; the first says where and when."""
    if not path.exists():
        raise SystemExit(f"{path.name} has no whole run that a part could belong to: run all of them first.")
    return [json.loads(line) for line in path.read_text().splitlines()]


def with_part(kept: list[dict[str, Any]], name: str, measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """These lines with what one benchmark measured again in the place of what it had."""
    facts, *lines = kept
    part, *found = measured
    facts["again"] = {**facts.get("again", {}), name: part["date"]}
    at = next((index for index, line in enumerate(lines) if line["benchmark"] == name), len(lines))
    others = [line for line in lines if line["benchmark"] != name]
    return [facts, *others[:at], *found, *others[at:]]


def default_options(name: str, *, is_quick: bool, is_alone: bool) -> list[str]:
    """How a benchmark is run when all are."""
    options = (QUICK if is_quick else WHOLE)[name]
    return [option for option in options if not (is_alone and option in ALL_PEERS)]


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
    rows = [
        "| benchmark | figure | store | who | value | goal | ours is |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    for line in lines:
        value = f"{line['value']:,} {line['unit']}" + (" °" if "foreign_cores" in line else "")
        goal = f"{line['goal']}{'' if line['met'] else ' **missed**'}" if "goal" in line else ""
        ratio = f"{line['ratio']:,} x" if "ratio" in line else ""
        who = line.get("peer", "the machine" if line["figure"].startswith("machine") else "upshot")
        rows.append(
            f"| {line['benchmark']} | {line['figure']} | {line['store']} | {who} | {value} | {goal} | {ratio} |"
        )
    return "\n".join(rows)


def write_readme() -> None:
    """Put the kept figures between the markers of the README."""
    parts: list[str] = []
    for kept in filter(Path.exists, (KEPT, KEPT_LONG)):
        facts, *lines = read_kept(kept)
        made = (
            f"Made {facts['date']} by `{facts['command']}` on {facts['cores']} cores ({facts['processor']}), "
            f"{facts['system']}, Python {facts['python']}."
        )
        if again := facts.get("again"):
            made += f" Measured again: {', '.join(f'{name} {date}' for name, date in again.items())}."
        if any("foreign_cores" in line for line in lines):
            made += " °: other programs were using more than 0.3 of a core."
        parts += [made, table(lines)]
    if not parts:
        raise SystemExit(f"There are no figures yet: {KEPT.name} is written by `python -m benchmarks` without a name.")
    head, rest = README.read_text().split(BEGIN)
    _, tail = rest.split(END)
    text = "\n\n".join(parts)
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")
    say(f"written into {README.name}")


if __name__ == "__main__":
    raise SystemExit(main())

"""A step at most once, whose engine dies around its effect: it ends as `unknown` where nobody can know, and the provider sees
it once at most."""

from pathlib import Path

import pytest

from tests.crash.ledgers import Look, Provider, check_end
from tests.crash.load import Work
from tests.crash.processes import Processes


@pytest.mark.parametrize(
    ("point", "is_called", "status"),
    [
        ("begin.before_commit", True, "completed"),  # nothing says that it began, so it does
        ("begin.after_commit", False, "unknown"),
        ("act.before_effect", False, "unknown"),
        ("act.after_effect", True, "unknown"),
        ("record.before_commit", True, "unknown"),
        ("record.after_commit", True, "completed"),
    ],
)
def test_an_effect_at_most_once_is_never_repeated(
    work: Work, look: Look, processes: Processes, tmp_path: Path, point: str, is_called: bool, status: str
) -> None:
    work = work.but(events=1, event="crash/once", lease_seconds=0.5)
    dying = processes.start(work.but(crash_at=point))
    assert dying.ended() == -9, dying.log()
    second = processes.start(work)
    second.wait_for("given")
    second.until(look.is_over, "all is over")
    second.stop()
    snapshot = check_end(look, tmp_path)
    (run,) = snapshot.runs
    assert Provider(tmp_path).calls().count(f"{run['id']}:one") == is_called
    assert {step["step_id"]: step["status"] for step in snapshot.steps} == {"one": status, "two": "completed"}

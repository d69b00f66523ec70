"""What the checker knows of runs that failed and go on (I5): only what was kept because of the failure is forgotten, and the
rest of the journal stays as it was, without gaps.
"""

from typing import Any

import msgspec

from tests.simulation.commit import Commit, Key
from upshot.core.commands import StepError

Row = dict[str, Any]


class Reopened:
    """The runs that people retried."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()

    def forgot(self, commit: Commit, key: Key, step: Row) -> None:
        """A kept step of a run is gone, perhaps for a moment."""
        commit.forgotten.setdefault(key, {})[step["step_id"]] = step

    def kept_again(self, commit: Commit, key: Key, step: Row) -> bool:
        """Whether this step was forgotten in this commit and is kept again as it was, at another place of the journal."""
        was = commit.forgotten.get(key, {}).get(step["step_id"])
        if was is None or {**was, "seq": step["seq"]} != step:
            return False
        del commit.forgotten[key][step["step_id"]]
        commit.moved_up.setdefault(key, []).append(step)
        return True

    def wrong(self, commit: Commit) -> str | None:
        """What is wrong with what this commit forgot."""
        for key, gone in commit.forgotten.items():
            run = commit.reopened.get(key)
            if run is None:
                return f"steps {gone} of run {key} are gone, and nobody retried it"
            failed = msgspec.json.decode(run["error"], type=StepError).step_id
            for step in gone.values():
                if not _goes(step, failed):
                    return f"step {step} of run {key} is gone, though it did not fail with {failed}"
            for step in commit.moved_up.get(key, ()):
                if _goes(step, failed):
                    return f"step {step} of run {key} stays, though it failed with {failed}"
        self.keys |= commit.reopened.keys()
        return None


def _goes(step: Row, failed: str | None) -> bool:
    error = msgspec.json.decode(step["error"], type=StepError) if step["error"] is not None else None
    return step["step_id"] == failed or step["status"] == "cancelled" or (error is not None and error.step_id == failed)

"""Taking an object of a foreign document apart: each field once, in any spelling, and nothing left over unseen."""

import re
from collections.abc import Iterable
from typing import Any, Final, cast

from upshot.core.errors import Problem

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Absent:
    """The type of ABSENT: a field that is not there (null is)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


def snake(name: str) -> str:
    """`retryCount` as `retry_count`."""
    return _HUMP.sub("_", name).replace("-", "_").lower()


class Findings:
    """What reading a document found: problems, notes of what was understood how, and where each part came from."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[dict[str, str]] = []
        self._origins: dict[str, str] = {}

    def problem(self, path: str, message: str, code: str = "invalid") -> None:
        """One fault at a path of the document as it was given."""
        self.problems.append(Problem(path, message, code))

    def note(self, path: str, message: str) -> None:
        """How something at a path was understood."""
        note = {"path": path, "message": message}
        if note not in self.notes:
            self.notes.append(note)

    def note_translated(self, path: str, message: str) -> None:
        """Something about the canonical part at `path`, told at its place in the given document."""
        self.note(self._origin_of(path), message)

    def came_from(self, path: str, origin: str) -> None:
        """Say that the canonical part at `path` was read from `origin` in the given document."""
        self._origins[path] = origin

    def add_translated(self, problems: Iterable[Problem]) -> None:
        """Add problems of the canonical document at their places in the given one, where nothing is said of it yet."""
        refused = [problem.path for problem in self.problems]
        for problem in problems:
            path = self._origin_of(problem.path)
            is_told = any(_is_at_or_under(path, known) for known in refused if known)
            is_unread = problem.code == "required" and any(_is_at_or_under(known, path) for known in refused)
            if not is_told and not is_unread:  # what was refused in parts is there, though nothing of it could be read
                self.problems.append(Problem(path, problem.message, problem.code))

    def _origin_of(self, path: str) -> str:
        for length in range(len(path), 0, -1):
            if length < len(path) and path[length] not in ".[":
                continue
            origin = self._origins.get(path[:length])
            if origin is not None:
                return origin + path[length:]
        return path


def _is_at_or_under(path: str, upper: str) -> bool:
    return path == upper or path.startswith((f"{upper}.", f"{upper}["))


class Fields:
    """The fields of one object, taken one by one by their canonical names; camelCase is read as snake_case."""

    def __init__(self, document: dict[str, Any], at: str, findings: Findings) -> None:
        self.at = at
        self._findings = findings
        self._left: dict[str, tuple[str, Any]] = {}
        for written, value in document.items():
            name = snake(written)
            if name in self._left:
                findings.problem(
                    self._path(written),
                    f"says the same as `{self._left[name][0]}`",
                    "unknown_field",
                )
            else:
                self._left[name] = (written, value)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, *names: str) -> Any:
        """The value under the first of these names; a second one that is also there is refused. ABSENT when none is."""
        return self.take_with_path(*names)[0]

    def take_with_path(self, *names: str) -> tuple[Any, str]:
        """Like `take`, with the path that the field was written at (the canonical one when it is not there)."""
        found = [self._left.pop(name) for name in names if name in self._left]
        if not found:
            return ABSENT, self._path(names[0])
        written, value = found[0]
        for other, _ in found[1:]:
            self._findings.problem(
                self._path(other),
                f"says the same as `{written}`; keep one",
                "unknown_field",
            )
        if written != names[0]:
            self._findings.note(self._path(written), f"read as `{names[0]}`")
        return value, self._path(written)

    def take_first_set(self, *names: str) -> tuple[Any, str]:
        """The first of these fields that is there and not null, with its path; nulls among them are passed over."""
        for name in names:
            if name in self._left and self._left[name][1] is None:
                del self._left[name]
        return self.take_with_path(*names)

    def drop_nulls(self) -> None:
        """Forget every field that is null: some systems write all fields of a step always."""
        self._left = {name: found for name, found in self._left.items() if found[1] is not None}

    def drop_all(self) -> None:
        """Forget what was not taken: its step was refused already."""
        self._left.clear()

    def leave_out(self, names: Iterable[str], why: str) -> None:
        """Forget the named fields, with a note for each."""
        for name in names:
            if name in self._left:
                self._findings.note(self._path(self._left.pop(name)[0]), why)

    def refuse(self, names: Iterable[str], message: str, code: str) -> None:
        """Refuse the named fields where they hold anything."""
        for name in names:
            if name in self._left:
                written, value = self._left.pop(name)
                if value not in (None, [], {}, ""):
                    self._findings.problem(self._path(written), message, code)

    def refuse_rest(self, known: Iterable[str]) -> None:
        """Refuse what was not taken, with the names that are known here."""
        listed = ", ".join(known)
        for written, _ in self._left.values():
            self._findings.problem(
                self._path(written),
                f"is not a known field; known are: {listed}",
                "unknown_field",
            )
        self._left.clear()

    def _path(self, written: str) -> str:
        return f"{self.at}.{written}" if self.at else written


def as_object(value: Any) -> dict[str, Any] | None:
    """The value, when it is an object with text keys."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in cast("dict[Any, Any]", value)):
        return cast("dict[str, Any]", value)
    return None


def as_list(value: Any) -> list[Any] | None:
    """The value, when it is a list."""
    return cast("list[Any]", value) if isinstance(value, list) else None

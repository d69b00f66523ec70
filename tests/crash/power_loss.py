"""What a power loss leaves of files: what was synced stays; of what was not, each write is there, is not, or is torn."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SECTOR = 512


class Operation(NamedTuple):
    """One recorded call: `W`rite, `T`runcate, `S`ync, `U`nlink, or `A`cknowledged (a line of the ledger was synced)."""

    kind: str
    name: str
    offset: int
    data: bytes


def read_record(path: Path) -> list[Operation]:
    """All operations, in their order."""
    text, at, found = path.read_bytes(), 0, list[Operation]()
    while at < len(text):
        end = text.index(b"\n", at)
        kind, name, offset, length = text[at:end].decode().split(" ")
        at = end + 1 + int(length)
        found.append(Operation(kind, name, int(offset), text[end + 1 : at]))
    return found


class _File:
    def __init__(self, content: bytes = b"") -> None:
        self.synced = bytearray(content)
        self.since: list[Operation] = []

    def sync(self) -> None:
        for operation in self.since:
            _apply(self.synced, operation, operation.data)
        self.since.clear()

    def after_a_loss(self, chance: random.Random) -> bytes:
        content = bytearray(self.synced)
        for operation in self.since:
            fate = chance.choice(("kept", "lost", "torn"))
            if fate == "kept":
                _apply(content, operation, operation.data)
            elif fate == "torn" and operation.kind == "W":
                sectors = chance.randrange(len(operation.data) // SECTOR + 1)
                _apply(content, operation, operation.data[: sectors * SECTOR])
        return bytes(content)


def _apply(content: bytearray, operation: Operation, data: bytes) -> None:
    if operation.kind == "T":
        if operation.offset <= len(content):
            del content[operation.offset :]
        else:
            content.extend(bytes(operation.offset - len(content)))
        return
    if not data:
        return
    if operation.offset > len(content):
        content.extend(bytes(operation.offset - len(content)))
    content[operation.offset : operation.offset + len(data)] = data


class Image(NamedTuple):
    """The files after a loss at one moment, and the events acknowledged before."""

    files: dict[str, bytes]
    acknowledged: set[str]


def images(record: list[Operation], before: dict[str, bytes], number: int, seed: int) -> Iterator[Image]:
    """What is left after losses at so many moments drawn by the seed, in the order of time."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, len(record)), min(number, len(record) - 1)))
    files = {name: _File(content) for name, content in before.items()}
    acknowledged: set[str] = set()
    position = 0
    for moment in moments:
        for operation in record[position:moment]:
            if operation.kind == "A":
                acknowledged.update(operation.data.decode().split())
            elif operation.kind == "U":
                files.pop(operation.name, None)
            else:
                file = files.setdefault(operation.name, _File())
                if operation.kind == "S":
                    file.sync()
                else:
                    file.since.append(operation)
        position = moment
        left = {name: file.after_a_loss(chance) for name, file in files.items() if name != "accepted"}
        yield Image(left, set(acknowledged))

"""Forks: a child has copies of its parent's connections and none of its threads. What belongs to one process alone says so
here, and begins anew in the child, so that a server may load the application and then fork its workers."""

import os
from typing import Protocol
from weakref import WeakSet


class OfOneProcess(Protocol):
    """Something with connections, threads or locks."""

    def begin_anew(self) -> None:
        """This process is a fork: leave to the parent what is the parent's."""
        ...


_known: WeakSet[OfOneProcess] = WeakSet()


def belongs_to_one_process(holder: OfOneProcess) -> None:
    """Have it begin anew in every fork."""
    _known.add(holder)


def _begin_all_anew() -> None:
    for holder in list(_known):
        holder.begin_anew()


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_begin_all_anew)

"""Room: how many runs this process may drive, and how many of one tenant, so that some is left for the others."""

from collections import Counter
from collections.abc import Callable

from upshot.engine.process import Limits

TENANT_SHARE = 0.75
"""The part of a process's room that one tenant may fill with new runs."""


class Room:
    """The room of one process; what is taken is given back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: Counter[str] = Counter()
        self._taken_in_all = self._aside = 0
        self.claim_wanted = False
        self.on_room: Callable[[], None] = lambda: None

    def reserve(self, tenant_id: str) -> bool:
        """Take room for one run of this tenant; False when this process drives as many as it may, or so many of this tenant
        that no room would be left for the others."""
        if self.room <= 0 or self._taken[tenant_id] + self._aside >= self._limits.runs_max * TENANT_SHARE:
            return False
        self.take_room(tenant_id)
        return True

    def set_aside(self, number: int) -> None:
        """Keep room for so many runs that are on their way here from the store; whose they are is not known yet."""
        self._aside = number

    def reserve_always(self, tenant_id: str) -> None:
        """Take room for a run that this process holds already, of what is set aside if there is any."""
        self._aside = max(0, self._aside - 1)
        self.take_room(tenant_id)

    def take_room(self, tenant_id: str) -> None:
        """Take room for a run of this tenant, whether or not there is any: it was looked for before the run was held."""
        self._taken[tenant_id] += 1
        self._taken_in_all += 1

    def give_back_room(self, tenant_id: str) -> None:
        """Room that was reserved is not needed (any more)."""
        self._taken[tenant_id] -= 1
        self._taken_in_all -= 1
        if not self._taken[tenant_id]:
            del self._taken[tenant_id]
        if self.claim_wanted and self.room > self._limits.runs_max // 2:
            self.claim_wanted = False
            self.on_room()

    def wants_claim(self) -> None:
        """Runs wait in the store for room here."""
        self.claim_wanted = True
        if not self._taken_in_all:
            self.on_room()

    def claim_now(self) -> None:
        """What waits in the store is to be claimed though no room is given back: who has it is about to rest."""
        if self.claim_wanted:
            self.claim_wanted = False
            self.on_room()

    @property
    def room(self) -> int:
        """How many more runs may be driven now."""
        return self._limits.runs_max - self._taken_in_all - self._aside

    @property
    def has_room_to_linger(self) -> bool:
        """Whether runs that wait may stay here for a moment: half of the room is free."""
        return self.room > self._limits.runs_max // 2

    @property
    def room_to_claim(self) -> int:
        """How many runs may be claimed now: some room is kept for what tenants start meanwhile."""
        return self.room - int(self._limits.runs_max * (1 - TENANT_SHARE))

    def driven(self, tenant_id: str) -> int:
        """How many runs of this tenant have room here now."""
        return self._taken[tenant_id]

"""Which path of a split an entity takes: drawn from its key, so that it is the same each time."""

import hashlib

from upshot.core.automations.document import SplitStep
from upshot.core.facts import Facts


def split_key(automation_id: str, step_id: str, facts: Facts) -> str:
    """What is drawn for: the event's entity or, without one, the run. Other splits draw anew, other versions do not."""
    ref = facts.event.get("entity")
    who = f"entity:{ref['type']}:{ref['id']}" if isinstance(ref, dict) else f"run:{(facts.run or {}).get('id', '')}"
    return f"{automation_id}:{step_id}:{who}"


def chosen_path(step: SplitStep, key: str) -> int:
    """The place of the path that this key takes. Keys are spread over the paths by their weights."""
    drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64
    left = drawn * sum(path.weight for path in step.paths)
    for place, path in enumerate(step.paths):
        left -= path.weight
        if left < 0:
            return place
    return max(place for place, path in enumerate(step.paths) if path.weight)  # what rounding left over

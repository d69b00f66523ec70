"""The loop of a peer's client: a line of JSON asks for runs, a line of JSON answers when their submission began."""

import json
import sys
from collections.abc import Callable


def answer_requests(submit: Callable[[int, int, float], int]) -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"began": submit(request["first"], request["count"], request["sleep"])}), flush=True)

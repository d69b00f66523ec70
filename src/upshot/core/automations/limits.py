"""The published limits of an automation document."""

from typing import Final

DOCUMENT_BYTES_MAX: Final = 262_144
NAME_CHARACTERS_MAX: Final = 200
NOTE_CHARACTERS_MAX: Final = 5_000
EVENT_NAME_CHARACTERS_MAX: Final = 200
STEPS_MAX: Final = 1_000
STEP_ID_CHARACTERS_MAX: Final = 100
FOLDER_CHARACTERS_MAX: Final = 200
TAGS_MAX: Final = 20
TAG_CHARACTERS_MAX: Final = 50
PRIORITY_MIN: Final = 1
PRIORITY_MAX: Final = 10
PRIORITY_DEFAULT: Final = 5
RETRIES_MAX: Final = 100
BACKOFF_SECONDS_MAX: Final = 604_800
TIMEOUT_SECONDS_MAX: Final = 86_400
BRANCHES_MIN: Final = 2
BRANCHES_MAX: Final = 50
PATHS_MIN: Final = 2
PATHS_MAX: Final = 20
WEIGHT_MAX: Final = 1_000_000
CONCURRENCY_MAX: Final = 100
ITEMS_MAX: Final = 10_000
MATCH_FIELDS_MAX: Final = 10
CANCELS_MAX: Final = 20
ROUNDS_MAX: Final = 1_000
"""How often the steps of a circle go round."""
ROUNDS_IN_ALL_MAX: Final = 10_000
"""How many rounds of all its circles a run repeats, in all."""

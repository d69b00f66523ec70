"""The spellings under which an operator is understood: its name, symbols and aliases, in any case and word style."""

import re
from functools import lru_cache
from typing import Final

SYMBOLS: Final = {
    "equals": ("=", "==", "==="),
    "not_equals": ("!=", "!==", "<>"),
    "greater_than": (">",),
    "greater_than_or_equal": (">=",),
    "less_than": ("<",),
    "less_than_or_equal": ("<=",),
    "regex": ("=~",),
    "not_regex": ("!~",),
}

ALIASES: Final = {
    "equals": "eq is equal equal_to exactly",
    "not_equals": "ne neq is_not not_equal not_equal_to does_not_equal",
    "greater_than": "gt more_than is_greater_than bigger_than greater",
    "greater_than_or_equal": "gte ge greater_or_equal greater_than_or_equals greater_than_or_equal_to at_least",
    "less_than": "lt fewer_than is_less_than smaller_than less",
    "less_than_or_equal": "lte le less_or_equal less_than_or_equals less_than_or_equal_to less_than_inclusive at_most",
    "between": "in_range is_between range",
    "not_between": "not_in_range outside",
    "in": "is_one_of one_of is_in any_of",
    "not_in": "is_not_one_of not_one_of nin is_not_in none_of",
    "contains": "includes include has",
    "not_contains": "does_not_contain doesnt_contain excludes not_includes does_not_include",
    "contains_any": "includes_any has_any",
    "contains_all": "includes_all has_all",
    "contains_none": "not_contains_any includes_none has_none",
    "starts_with": "begins_with prefix",
    "not_starts_with": "does_not_start_with does_not_begin_with not_begins_with",
    "ends_with": "suffix",
    "not_ends_with": "does_not_end_with",
    "regex": "matches regexp matches_regex",
    "not_regex": "not_matches does_not_match not_regexp not_matches_regex",
    "exists": "is_set is_present present has_value not_null is_not_null",
    "not_exists": "does_not_exist is_not_set not_present is_unknown null has_no_value",
    "is_missing": "missing",
    "is_empty": "empty is_blank",
    "not_empty": "is_not_empty is_not_blank",
    "is_true": "true",
    "is_false": "false",
    "length_equals": "length count_equals size",
    "length_greater_than": "longer_than count_greater_than",
    "length_less_than": "shorter_than count_less_than",
    "changed": "has_changed is_changed",
    "changed_to": "becomes became",
    "increased": "has_increased",
    "decreased": "has_decreased",
    "before": "is_before date_before earlier_than",
    "after": "is_after date_after later_than",
    "on_or_before": "before_or_on is_on_or_before",
    "on_or_after": "after_or_on is_on_or_after since",
    "on_day": "same_day on_date date_equals is_on",
    "same_day_of_year": "anniversary birthday",
    "within_last": "in_last in_the_last last",
    "within_next": "in_next in_the_next next",
    "more_than_ago": "older_than longer_ago_than",
    "more_than_ahead": "further_than",
    "weekday_in": "day_of_week_in weekday is_weekday",
    "time_between": "time_of_day_between",
}
"""Other names in snake case, separated by spaces."""

_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s\-.]+")


@lru_cache(maxsize=2048)
def snake_case(name: str) -> str:
    """`greaterThan`, `GREATER THAN`, `greater-than` as `greater_than`."""
    name = name.strip()
    return "_".join(part for part in _WORD_BREAK.split(name) if part).replace("__", "_").lower()

"""Reading a condition document: every understood shape to the canonical tree, its canonical document, and all problems.

The canonical group is `{"id", "combinator", "not"?, "muted"?, "rules"}` (the root also has `"v": 1`), the canonical
leaf `{"id", "field", "operator", "value"?, ...options}`. Understood beside it: `{"operator": "and", "conditions":
[...]}`, `{"all": [...]}`, `{"any": [...]}`, `{"none": [...]}`, `{"not": ...}`, a bare list (AND), a single leaf,
camelCase keys.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from upshot.core.conditions.compile import elements_check
from upshot.core.conditions.leaves import read_leaf
from upshot.core.conditions.model import DEPTH_MAX, LEAVES_MAX, MATCH_DEPTH_MAX, Check, Group, Node
from upshot.core.conditions.reading import Keys, Reading, flag, objects_inside, read_keys
from upshot.core.conditions.spellings import snake_case
from upshot.core.errors import Refused
from upshot.core.strict_json import check, join_path

VERSION: Final[int] = 1
RUNS_ON_EVERY_EVENT: Final = "there are no conditions, so it runs on every event"
_OBJECTS_MAX: Final = 5_000

_GROUP_KEYS: Final = {
    "combinator": "combinator", "operator": "combinator", "op": "combinator", "logic": "combinator",
    "condition": "combinator", "logical_operator": "combinator",
    "rules": "rules", "conditions": "rules",
    "not": "not", "id": "id", "muted": "muted", "disabled": "muted", "v": "v",
}  # fmt: skip
_WORD_KEYS: Final = {
    "all": "all", "any": "any", "none": "none", "and": "all", "or": "any", "not": "not",
    "id": "id", "muted": "muted", "disabled": "muted", "v": "v",
}  # fmt: skip
_COMBINATORS: Final = {
    "and": ("and", False), "all": ("and", False), "&&": ("and", False),
    "or": ("or", False), "any": ("or", False), "||": ("or", False),
    "not": ("and", True), "!": ("and", True), "not_all": ("and", True), "nand": ("and", True),
    "none": ("or", True), "nor": ("or", True), "not_any": ("or", True),
}  # fmt: skip
_MATCH_MODES: Final = {
    "all": "all", "every": "all", "some": "some", "any": "some", "none": "none",
    "at_least": "at_least", "at_most": "at_most", "exactly": "exactly",
}  # fmt: skip
_COUNTED_MODES: Final = frozenset({"at_least", "at_most", "exactly"})
_MATCH_KEYS: Final = {"mode": "mode", "n": "n", "threshold": "n"}


class ReadCondition(NamedTuple):
    """What was read: the tree without its muted parts, the canonical document, and things worth a second look."""

    root: Group
    document: dict[str, Any]
    warnings: tuple[str, ...]


def read_condition(document: Any, at: str, types: Mapping[str, str] | None = None) -> ReadCondition:
    """Read a condition in any understood shape.

    Raises:
        Refused: naming every problem, by its path in the document as it was written.
    """
    check(document, at)
    ids: set[str] = set()
    for count, mapping in enumerate(objects_inside(document)):
        if count >= _OBJECTS_MAX:
            raise Refused.at(at, f"the condition has more than {_OBJECTS_MAX} parts", "too_many")
        if isinstance(mapping.get("id"), str):
            ids.add(mapping["id"])
    reading = Reading(types or {}, frozenset(ids))
    root, canonical = _GroupReader(reading).read_root(document, at)
    if reading.leaves > LEAVES_MAX:
        reading.refuse(at, f"{reading.leaves} comparisons is over the limit of {LEAVES_MAX}", "too_many")
    if reading.problems:
        raise Refused(reading.problems)
    if root.combinator == "and" and not root.children and not root.negated:
        reading.warnings.append(f"{at}: {RUNS_ON_EVERY_EVENT}")
    return ReadCondition(root, {"v": VERSION, **canonical}, tuple(reading.warnings))


class _GroupReader:
    """Reads groups. Inside a `match`, paths start at the element."""

    def __init__(self, reading: Reading, match_depth: int = 0) -> None:
        self.reading, self.match_depth = reading, match_depth

    def read_root(self, document: Any, at: str, depth: int = 1) -> tuple[Group, dict[str, Any]]:
        """A group; a single leaf becomes a group of one."""
        node, canonical = self._read_node(document, at, depth)
        if isinstance(node, Group) and "rules" in canonical:
            return node, canonical
        children = () if node is None or canonical.get("muted") else (node,)
        group_id = self._made_id()
        return Group(group_id, "and", children=children), _group_document(group_id, "and", [canonical])

    def _read_node(self, document: Any, at: str, depth: int) -> tuple[Node | None, dict[str, Any]]:
        if isinstance(document, list):
            return self._read_group(Keys({"rules": document}, {}, at), "and", at, depth, negated=False)
        if not isinstance(document, dict):
            self.reading.refuse(at, "a condition is an object or a list", "wrong_type")
            return None, {}
        mapping = cast("dict[str, Any]", document)
        names = {snake_case(key) for key in mapping}
        if "rules" in names or "conditions" in names or "combinator" in names or not mapping:
            return self._read_combined(mapping, at, depth)
        if names & {"all", "any", "none", "and", "or", "not"}:
            return self._read_words(mapping, at, depth)
        return self._read_leaf(mapping, at, depth)

    def _read_combined(self, document: dict[str, Any], at: str, depth: int) -> tuple[Node | None, dict[str, Any]]:
        keys = read_keys(document, _GROUP_KEYS, at, self.reading)
        self._check_version(keys)
        written = keys.values.get("combinator", "and")
        combinator, negated = "and", False
        if isinstance(written, str) and snake_case(written) in _COMBINATORS:
            combinator, negated = _COMBINATORS[snake_case(written)]
        else:
            self.reading.refuse(keys.at("combinator"), f"{written!r} is not and, or, not", "unknown_combinator")
        if "not" in keys:
            negated ^= flag(keys, "not", self.reading)
        rules = keys.values.get("rules", [])
        if not isinstance(rules, list):
            self.reading.refuse(keys.at("rules"), "the rules of a group are a list", "wrong_type")
            return None, {}
        if isinstance(written, str) and snake_case(written) in ("not", "!") and len(cast("list[Any]", rules)) > 1:
            self.reading.refuse(
                keys.at("combinator"), "not takes one condition; use none or not_all for several", "ambiguous"
            )
        return self._read_group(keys, combinator, keys.at("rules"), depth, negated=negated)

    def _read_words(self, document: dict[str, Any], at: str, depth: int) -> tuple[Node | None, dict[str, Any]]:
        keys = read_keys(document, _WORD_KEYS, at, self.reading)
        self._check_version(keys)
        words = [word for word in ("all", "any", "none", "not") if word in keys]
        if len(words) > 1:
            parts = [self._read_word(keys, word, depth + 1, own_id=False) for word in words]
            return self._joined(keys, "and", parts, negated=False)
        return self._read_word(keys, words[0], depth, own_id=True) if words else (None, {})

    def _read_word(self, keys: Keys, word: str, depth: int, *, own_id: bool) -> tuple[Node | None, dict[str, Any]]:
        value, place = keys.values[word], keys.at(word)
        owner = keys if own_id else Keys({}, {}, keys.place)
        if word == "not" and not isinstance(value, list):
            part = self._read_node(value, place, depth + 1)
            node, canonical = part
            plain = not (owner.values.keys() & {"id", "muted"}) and not canonical.get("muted")
            if isinstance(node, Group) and not node.negated and plain:
                return Group(node.id, node.combinator, negated=True, children=node.children), _negated(canonical)
            return self._joined(owner, "and", [part], negated=True)
        if not isinstance(value, list):
            self.reading.refuse(place, f"{word} takes a list of conditions", "wrong_type")
            return None, {}
        group = Keys({**owner.values, "rules": value}, owner.written, owner.place)
        combinator = "or" if word in ("any", "none") else "and"
        return self._read_group(group, combinator, place, depth, negated=word in ("none", "not"))

    def _read_group(
        self, keys: Keys, combinator: str, place: str, depth: int, *, negated: bool
    ) -> tuple[Node | None, dict[str, Any]]:
        if depth > DEPTH_MAX:
            self.reading.refuse(keys.place, f"groups are nested deeper than {DEPTH_MAX}", "too_deep")
            return None, {}
        rules = cast("list[Any]", keys.values.get("rules", []))
        group_id = self.reading.id_of(keys, "g")
        parts: list[tuple[Node | None, dict[str, Any]]] = []
        for index, rule in enumerate(rules):
            if self.reading.leaves > LEAVES_MAX:
                break
            parts.append(self._read_node(rule, join_path(place, index), depth + 1))
        return self._assembled(group_id, keys, combinator, parts, negated=negated)

    def _joined(
        self, keys: Keys, combinator: str, parts: list[tuple[Node | None, dict[str, Any]]], *, negated: bool
    ) -> tuple[Node | None, dict[str, Any]]:
        return self._assembled(self.reading.id_of(keys, "g"), keys, combinator, parts, negated=negated)

    def _assembled(
        self,
        group_id: str,
        keys: Keys,
        combinator: str,
        parts: list[tuple[Node | None, dict[str, Any]]],
        *,
        negated: bool,
    ) -> tuple[Node | None, dict[str, Any]]:
        muted = flag(keys, "muted", self.reading) if "muted" in keys else False
        children = tuple(node for node, canonical in parts if node is not None and not canonical.get("muted"))
        document = _group_document(
            group_id, combinator, [canonical for _, canonical in parts], negated=negated, muted=muted
        )
        return Group(group_id, combinator, negated, children), document

    def _read_leaf(self, document: dict[str, Any], at: str, depth: int) -> tuple[Node | None, dict[str, Any]]:
        self.reading.leaves += 1
        if _is_within(document):
            return self._read_within(document, at, depth)
        return read_leaf(
            document,
            at,
            self.reading,
            in_match=self.match_depth > 0,
            read_elements=lambda keys: self._read_elements(keys, depth),
        )

    def _read_within(self, document: dict[str, Any], at: str, depth: int) -> tuple[Node | None, dict[str, Any]]:
        """`within` two dates is `between`; within a duration means on either side of now."""
        key = next(key for key in ("operator", "op") if key in document)
        if isinstance(document.get("value"), list):
            return self._read_leaf({**document, key: "between"}, at, depth)
        shared = {name: value for name, value in document.items() if name not in ("id", "muted")}
        mine = Keys(
            {name: value for name, value in document.items() if name in ("id", "muted")},
            {"id": "id", "muted": "muted"},
            at,
        )
        parts = [self._read_leaf({**shared, key: name}, at, depth) for name in ("within_last", "within_next")]
        return self._joined(mine, "or", parts, negated=False)

    def _read_elements(self, keys: Keys, depth: int) -> tuple[Group, dict[str, Any], dict[str, Any], Check] | None:
        if self.match_depth >= MATCH_DEPTH_MAX:
            self.reading.refuse(keys.at("operator"), f"match is nested deeper than {MATCH_DEPTH_MAX}", "too_deep")
            return None
        match = self._read_match(keys)
        if "value" not in keys:
            self.reading.refuse(keys.place, "match needs a value: the conditions of an item", "missing_value")
            return None
        inner = _GroupReader(self.reading, self.match_depth + 1)
        group, document = inner.read_root(keys.values["value"], keys.at("value"), depth + 1)
        if match is None:
            return None
        return group, document, match, elements_check(match["mode"], match.get("n", 0), group)

    def _read_match(self, keys: Keys) -> dict[str, Any] | None:
        written = keys.values.get("match", "some")
        spelled = read_keys(
            {"mode": written}
            if isinstance(written, str)
            else cast("dict[str, Any]", written)
            if isinstance(written, dict)
            else {},
            _MATCH_KEYS,
            keys.at("match"),
            self.reading,
        )
        mode = spelled.values.get("mode")
        name = _MATCH_MODES.get(snake_case(mode)) if isinstance(mode, str) else None
        if name is None:
            modes = "all, some, none, at_least, at_most or exactly"
            self.reading.refuse(spelled.at("mode"), f"the mode of a match is {modes}", "bad_value")
            return None
        if name not in _COUNTED_MODES:
            return {"mode": name}
        n = spelled.values.get("n")
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            self.reading.refuse(spelled.at("n"), f"{name} needs n, a whole number, 0 or more", "bad_value")
            return None
        return {"mode": name, "n": n}

    def _check_version(self, keys: Keys) -> None:
        version = keys.values.get("v", VERSION)
        if version.__class__ is not int or version != VERSION:
            self.reading.refuse(keys.at("v"), f"this release reads version {VERSION} of conditions", "bad_version")

    def _made_id(self) -> str:
        return self.reading.id_of(Keys({}, {}, ""), "g")


def _is_within(document: dict[str, Any]) -> bool:
    spelling = document.get("operator", document.get("op"))
    return isinstance(spelling, str) and snake_case(spelling) == "within"


def _group_document(
    group_id: str, combinator: str, rules: list[dict[str, Any]], *, negated: bool = False, muted: bool = False
) -> dict[str, Any]:
    document: dict[str, Any] = {"id": group_id, "combinator": combinator}
    if negated:
        document["not"] = True
    if muted:
        document["muted"] = True
    return {**document, "rules": rules}


def _negated(document: dict[str, Any]) -> dict[str, Any]:
    return _group_document(
        document["id"], document["combinator"], document["rules"], negated=True, muted=document.get("muted", False)
    )

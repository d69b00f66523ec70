"""Which placeholders of a text leave a gap, or fail, when there is no value for them."""

import re
from typing import Final

from upshot.core.templates.paths import PLAIN_PATH, is_plain_path
from upshot.core.templates.scanner import Part, SourceFault, scan

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_DEFAULT: Final = re.compile(r"\|\s*default\b")
_SET: Final = {"assign": re.compile(r"([\w-]+)\s*="), "for": re.compile(r"([\w-]+)\s+in\b")}
_ASKING: Final = frozenset({"if", "elsif", "unless"})


def wanted_paths(source: str) -> list[tuple[str, str]]:
    """Each placeholder that has no default, and the path it reads: `[("{{ patient.name }}", "patient.name")]`.

    What the text sets itself is left out, and so is what one of its conditions asks for: the author knows of it. A text
    that is no template wants nothing.
    """
    try:
        parts = scan(source)
    except SourceFault:
        return []
    own = {"forloop", *(name for part in parts for name in _names_set(part))}
    asked = " ".join(part.text for part in parts if part.kind == "tag" and part.name in _ASKING)
    wanted: dict[str, str] = {}
    for part in parts:
        match = PLAIN_PATH.match(part.text) if part.kind == "output" else None
        if match is None or _DEFAULT.search(_QUOTED.sub("", part.text)) or not is_plain_path(match.group()):
            continue
        path = match.group()
        if re.split(r"[.\[]", path, maxsplit=1)[0] not in own and path not in asked:
            wanted.setdefault(f"{{{{ {part.text} }}}}", path)
    return list(wanted.items())


def _names_set(part: Part) -> list[str]:
    pattern = _SET.get(part.name) if part.kind == "tag" else None
    match = pattern.match(part.text) if pattern is not None else None
    return [match.group(1)] if match else []

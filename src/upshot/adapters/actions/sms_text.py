"""How many segments an SMS takes: GSM 03.38 when every character is in it, else UCS-2."""

from typing import Final, NamedTuple

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Each takes two places."""


class Segments(NamedTuple):
    """What a text costs to send."""

    encoding: str
    characters: int
    segments: int


def segments_of(text: str) -> Segments:
    """Its encoding (`GSM-7` or `UCS-2`), its places in that encoding, and how many segments they fill."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        places = len(text) + sum(character in _EXTENDED for character in text)
        return Segments("GSM-7", places, _filled(places, alone=160, joined=153))
    places = len(text.encode("utf-16-le")) // 2
    return Segments("UCS-2", places, _filled(places, alone=70, joined=67))


def _filled(places: int, *, alone: int, joined: int) -> int:
    return 1 if places <= alone else -(-places // joined)

"""Whom a draft goes to, and what may stand in one line of it."""

import re
from typing import Final

from upshot.core.errors import Problem, Refused
from upshot.core.templates.escapes import NOT_IN_SMS, NOT_ONE_LINE

RECIPIENTS_MAX: Final = 50
ADDRESS_MAX: Final = 254

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+[A-Za-z0-9-]{{2,63}}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_PHONE_SPACING = re.compile(r"[ ()./-]")


def email_addresses(given: list[str], at: str = "to") -> list[str]:
    """These addresses without repeats, each plain and of ASCII.

    A display name could pose as another sender, and letters of another script as another domain: both are refused,
    as is a line break, which would begin a header of its own.

    Raises:
        Refused: names each address that is not.
    """
    if len(given) > RECIPIENTS_MAX:
        raise Refused.at(at, f"{len(given)} recipients; at most {RECIPIENTS_MAX}", "too_large")
    problems = [
        Problem(f"{at}[{index}]", "is not a plain e-mail address like ada@example.org", "bad_recipient")
        for index, address in enumerate(given)
        if len(address) > ADDRESS_MAX or not _ADDRESS.fullmatch(address)
    ]
    if problems:
        raise Refused(problems)
    return list(dict.fromkeys(given))


def phone_number(given: str, at: str = "to") -> str:
    """The number with its spacing taken out.

    Raises:
        Refused: it is not 3 to 15 digits, with or without a +.
    """
    number = _PHONE_SPACING.sub("", given)
    if not _PHONE.fullmatch(number):
        raise Refused.at(at, "is not a phone number like +41 44 668 18 00", "bad_recipient")
    return number


def one_line(text: str, at: str) -> str:
    """The text, if it is one line without control characters and without any that turn the direction of reading.

    Raises:
        Refused: it is not.
    """
    if NOT_ONE_LINE.search(text):
        raise Refused.at(at, "holds a line break or a control character; it is one line", "not_one_line")
    return text


def sendable(text: str, at: str) -> str:
    """The text, if a phone shows it as it was written.

    Raises:
        Refused: it holds a control character, or one that turns the direction of reading.
    """
    if NOT_IN_SMS.search(text):
        raise Refused.at(at, "holds a control character, or one that turns the direction of reading", "bad_text")
    return text

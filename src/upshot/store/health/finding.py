"""What a look at something found."""

import msgspec

OK, WARNING, FAILED = "ok", "warning", "failed"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `status` is `ok`, `warning` or `failed`; `remedy` says what to do about it."""

    name: str
    status: str
    detail: str
    remedy: str | None = None


def megabytes(number: int) -> str:
    """A number of bytes, for people."""
    return f"{number / 1_048_576:,.1f} MiB" if number < 1 << 30 else f"{number / (1 << 30):,.1f} GiB"

"""Settings: `UPSHOT_*` variables over `upshot.toml` over the defaults, read and checked once at start."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from upshot.adapters.outbound_policy import OutboundPolicy
from upshot.core.automations.fields import as_list
from upshot.core.errors import Problem, Refused

SECRET_KEY_MIN: Final = 16
PREFIX: Final = "UPSHOT_"
FILE_NAME: Final = "upshot.toml"


@dataclass(frozen=True)
class Settings:
    """One process's settings. Each is the variable `UPSHOT_<NAME>` or the key `<name>` of `upshot.toml`."""

    database_url: str = "sqlite:///upshot.db"
    """Where everything is kept: `sqlite:///file.db`."""
    public_url: str = ""
    """The address people and callbacks reach this installation at, like https://example.com/upshot; for links."""
    secret_key: str = field(default="", repr=False)
    """Signs sessions and list cursors, and gives the tenants' webhook secrets. At least 16 characters, the same for every
    process. Without one, each start makes its own: sessions and webhook secrets then end with the process."""
    requests_per_second: int = 2_000
    """Requests each key, and each tenant over all its keys, may make per second (bursts of twice as many)."""
    events_bytes_max: int = 8_388_608
    """The largest body of one request that gives events."""
    outbound_allow_http: bool = False
    """Whether webhooks may be called without TLS."""
    outbound_allow_hosts: frozenset[str] = frozenset()
    """`host:port` pairs that webhooks may reach though they are private; separated by commas in a variable."""

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise Refused(problems)
        made = self.secret_key.encode() if self.secret_key else secrets.token_bytes(32)
        object.__setattr__(self, "_key", made)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, file: str | Path | None = None
    ) -> "Settings":
        """The settings of this process.

        Raises:
            Refused: naming every setting that is not usable.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        problems: list[Problem] = []
        path = Path(file or environment.get(f"{PREFIX}SETTINGS", FILE_NAME))
        if path.is_file():
            given.update(_from_file(path, problems))
        for known in fields(cls):
            text = environment.get(PREFIX + known.name.upper())
            if text is not None:
                given[known.name] = _from_text(known.name, text, problems)
        if problems:
            raise Refused(problems)
        return cls(**given)

    @property
    def has_secret_key(self) -> bool:
        """Whether a key was given that outlives this process."""
        return bool(self.secret_key)

    def secret_key_bytes(self) -> bytes:
        """The installation's key, or this process's own when none was given."""
        return self._key  # type: ignore[attr-defined, no-any-return]  # set in __post_init__, on a frozen value

    def outbound_policy(self) -> OutboundPolicy:
        """What the guarded HTTP client may do."""
        return OutboundPolicy(allow_http=self.outbound_allow_http, allow_hosts=self.outbound_allow_hosts)


def kept_secret_key(path: Path) -> str:
    """The key kept in this file, made if there is none: for an installation on one machine. Only its owner can read it."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    key = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(key)
    return key


def _from_file(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        written = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), f"is not TOML: {error}", "bad_toml"))
        return {}
    kinds = {known.name: known.type for known in fields(Settings)}
    given: dict[str, Any] = {}
    for name, value in written.items():
        if name not in kinds:
            listed = ", ".join(kinds)
            problems.append(Problem(name, f"is not a setting; settings are {listed}", "unknown_setting"))
        elif name == "outbound_allow_hosts" and as_list(value) is not None:
            given[name] = frozenset(str(host) for host in as_list(value) or ())
        else:
            given[name] = value
    return given


def _from_text(name: str, text: str, problems: list[Problem]) -> Any:
    default = getattr(Settings, name, "")
    if isinstance(default, bool):
        known = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in known:
            problems.append(Problem(name, f"{text!r} is not true or false", "wrong_type"))
        return known.get(text.lower(), default)
    if isinstance(default, int):
        if not text.strip().isdecimal():
            problems.append(Problem(name, f"{text!r} is not a whole number", "wrong_type"))
            return default
        return int(text)
    if isinstance(default, frozenset):
        return frozenset(part.strip() for part in text.split(",") if part.strip())
    return text


def _problems(settings: Settings) -> list[Problem]:
    problems: list[Problem] = []
    for known in fields(Settings):
        value, default = getattr(settings, known.name), getattr(Settings, known.name, "")
        if type(value) is not type(default):
            problems.append(Problem(known.name, f"is of type {type(default).__name__}", "wrong_type"))
    if problems:
        return problems
    if settings.secret_key and len(settings.secret_key) < SECRET_KEY_MIN:
        problems.append(Problem("secret_key", f"has at least {SECRET_KEY_MIN} characters", "too_short"))
    if settings.public_url and urlsplit(settings.public_url).scheme not in {"http", "https"}:
        problems.append(Problem("public_url", f"{settings.public_url!r} is not an http or https address", "bad_url"))
    if settings.requests_per_second < 1:
        problems.append(Problem("requests_per_second", "is at least 1", "out_of_range"))
    if not 1_024 <= settings.events_bytes_max <= 104_857_600:
        problems.append(Problem("events_bytes_max", "is between 1024 and 104857600", "out_of_range"))
    for host in sorted(settings.outbound_allow_hosts):
        name, _, port = host.rpartition(":")
        if not name or not port.isdecimal():
            problems.append(Problem("outbound_allow_hosts", f"{host!r} is not host:port", "bad_host"))
    return problems

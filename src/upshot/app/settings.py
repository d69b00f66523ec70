"""Settings: `UPSHOT_*` variables over `upshot.toml` over the defaults, read and checked once at start."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from upshot.adapters.outbound_policy import OutboundPolicy
from upshot.core.automations.fields import as_list
from upshot.core.errors import Problem, Refused
from upshot.core.queues import EVERY, served_problems
from upshot.core.retention import Retention, retention_problems

SECRET_KEY_MIN: Final = 16
LOG_FORMATS: Final = ("text", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
CHOICES: Final = {"log_format": LOG_FORMATS, "log_level": LOG_LEVELS}
RANGES: Final = {
    "worker_concurrency": (1, 100_000),
    "requests_per_second": (1, 1_000_000_000),
    "events_bytes_max": (1_024, 104_857_600),
    "prune_every_hours": (0, 720),
    "loop_runs_max": (0, 1_000_000),
    "loop_window_seconds": (1, 86_400),
}
PREFIX: Final = "UPSHOT_"
FILE_NAME: Final = "upshot.toml"


@dataclass(frozen=True)
class Settings:
    """One process's settings. Each is the variable `UPSHOT_<NAME>` or the key `<name>` of `upshot.toml`."""

    database_url: str = "sqlite:///upshot.db"
    """Where everything is kept: `sqlite:///file.db` or `postgresql://user@host/database`."""
    database_direct_url: str = ""
    """The PostgreSQL server itself, when `database_url` goes through a transaction pooler such as PgBouncer."""
    worker_concurrency: int = 2_000
    """How many runs one process drives at once; further ones wait in the store, or for another worker."""
    worker_queues: frozenset[str] = frozenset({EVERY})
    """The queues whose runs this process drives, separated by commas in a variable; `*`: of every queue."""
    drain_seconds: int = 10
    """How long steps in flight may take to end when a process is asked to stop. What has not ended then is handed back."""
    public_url: str = ""
    """The address people and callbacks reach this installation at, like https://example.com/upshot; for links."""
    secret_key: str = field(default="", repr=False)
    """Signs sessions and list cursors, and gives the tenants' webhook secrets. At least 16 characters, the same for every
    process. Without one, each start makes its own: sessions and webhook secrets then end with the process."""
    metrics_key: str = field(default="", repr=False)
    """What a monitoring system shows as its bearer key to read /metrics and /healthz; at least 16 characters. Without it a
    key of the tenant `default` is needed."""
    log_format: str = "text"
    """How the processes that Upshot starts write their log: `text` (key=value) or `json`, one object a line."""
    log_level: str = "warning"
    """From where on they write it: `debug`, `info`, `warning`, `error` or `critical`."""
    requests_per_second: int = 2_000
    """Requests each key, and each tenant over all its keys, may make per second (bursts of twice as many)."""
    events_bytes_max: int = 8_388_608
    """The largest body of one request that gives events."""
    loop_runs_max: int = 300
    """How many runs of one automation other runs may cause for one entity within `loop_window_seconds` before it is taken for a
    loop and further ones are not started; 0: any number."""
    loop_window_seconds: int = 600
    """How far back those runs are counted."""
    outbound_allow_http: bool = False
    """Whether webhooks may be called without TLS."""
    outbound_allow_hosts: frozenset[str] = frozenset()
    """`host:port` pairs that webhooks may reach though they are private; separated by commas in a variable."""
    retention_runs_days: int = Retention.runs_days
    """For how many days a run that is over is kept; 0: for ever. A tenant may have its own, as for the four below."""
    retention_events_days: int = Retention.events_days
    """For how many days an event is kept; one that a kept run stands on is kept with it."""
    retention_dead_letters_days: int = Retention.dead_letters_days
    """For how many days a dead letter that is resolved or discarded is kept."""
    retention_audit_days: int = Retention.audit_days
    """For how many days the audit is kept."""
    retention_event_keys_days: int = Retention.event_keys_days
    """For how many days the id of an event is remembered, so that sending it again is no other event; at least 7."""
    retention_outbox_days: int = Retention.outbox_days
    """For how many days an outbox row is kept after it was relayed."""
    prune_every_hours: int = 6
    """How often a running engine prunes by itself; 0: only `upshot prune` does."""

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

    def retention(self) -> Retention:
        """How long what is over is kept."""
        return Retention(**{known.name: getattr(self, f"retention_{known.name}") for known in fields(Retention)})

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
        elif isinstance(getattr(Settings, name, ""), frozenset) and as_list(value) is not None:
            given[name] = frozenset(str(part) for part in as_list(value) or ())
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
    problems += [
        Problem(name, f"has at least {SECRET_KEY_MIN} characters", "too_short")
        for name in ("secret_key", "metrics_key")
        if 0 < len(getattr(settings, name)) < SECRET_KEY_MIN
    ]
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            problems.append(Problem(name, f"is one of {', '.join(choices)}", "not_a_choice"))
    for name, (least, most) in RANGES.items():
        if not least <= getattr(settings, name) <= most:
            problems.append(Problem(name, f"is between {least} and {most}", "out_of_range"))
    problems += served_problems(settings.worker_queues, "worker_queues")
    if settings.public_url and urlsplit(settings.public_url).scheme not in {"http", "https"}:
        problems.append(Problem("public_url", f"{settings.public_url!r} is not an http or https address", "bad_url"))
    return problems + _retention_problems(settings) + _host_problems(settings)


def _retention_problems(settings: Settings) -> list[Problem]:
    days = asdict(settings.retention())
    found = retention_problems(days, "", tuple(days))
    return [Problem(f"retention_{one.path.removeprefix('.')}", one.message, one.code) for one in found]


def _host_problems(settings: Settings) -> list[Problem]:
    parts = {host: host.rpartition(":") for host in sorted(settings.outbound_allow_hosts)}
    bad = [host for host, (name, _, port) in parts.items() if not name or not port.isdecimal()]
    return [Problem("outbound_allow_hosts", f"{host!r} is not host:port", "bad_host") for host in bad]

"""Settings: every source, and every fault named at once."""

from pathlib import Path

import pytest

from upshot.app.settings import Settings, kept_secret_key
from upshot.core.errors import Refused


def test_variables_go_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "upshot.toml"
    file.write_text('public_url = "https://file.example"\nrequests_per_second = 7\noutbound_allow_hosts = ["crm:80"]\n')
    given = {"UPSHOT_PUBLIC_URL": "https://variable.example", "UPSHOT_OUTBOUND_ALLOW_HTTP": "yes", "HOME": "/"}
    settings = Settings.from_environment(given, file)
    assert settings.public_url == "https://variable.example"
    assert settings.requests_per_second == 7
    assert settings.outbound_policy().allow_http
    assert settings.outbound_policy().allows_host("crm", 80)
    assert settings.database_url == "sqlite:///upshot.db"


def test_queues_are_listed_with_commas_or_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "upshot.toml"
    file.write_text('worker_queues = ["automation", "mails"]\n')
    assert Settings.from_environment({}, file).worker_queues == {"automation", "mails"}
    assert Settings.from_environment({"UPSHOT_WORKER_QUEUES": "mails, night"}, file).worker_queues == {"mails", "night"}
    with pytest.raises(Refused, match="lower-case letters"):
        Settings.from_environment({"UPSHOT_WORKER_QUEUES": "Mails"}, file)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        Settings(secret_key="short", public_url="ftp://x", requests_per_second=0, outbound_allow_hosts=frozenset({"x"}))
    faults = {problem.path for problem in refused.value.problems}
    assert faults == {"secret_key", "public_url", "requests_per_second", "outbound_allow_hosts"}
    file = tmp_path / "upshot.toml"
    file.write_text("colour = 5\nsecret_key = 5\n")
    with pytest.raises(Refused, match="colour"):
        Settings.from_environment({}, file)
    with pytest.raises(Refused, match="requests_per_second"):
        Settings.from_environment({"UPSHOT_REQUESTS_PER_SECOND": "many"}, tmp_path / "none")


def test_a_kept_secret_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "upshot.secret"
    key = kept_secret_key(path)
    assert len(key) >= 32
    assert kept_secret_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert Settings(secret_key=key).secret_key_bytes() == key.encode()
    assert "upk" not in repr(Settings(secret_key=key))
    assert key not in repr(Settings(secret_key=key))
    assert Settings().secret_key_bytes() != Settings().secret_key_bytes()

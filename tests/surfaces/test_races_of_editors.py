"""Two editors of one automation ask two servers at once: one is first, the other is told where, and nothing is lost."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.surfaces.conftest import Surface, document, make_surface
from upshot.app.settings import Settings
from upshot.app.upshot import Upshot
from upshot.http.app import create_app

TIMES = 15


@pytest.fixture
def servers(url: str) -> Iterator[list[Surface]]:
    """Two servers of one database, each with connections, a writer and a memory of its own."""
    for one in make_surface(url):
        upshot = Upshot(url, settings=Settings(secret_key="k" * 32))
        app = create_app(upshot, engine=False)
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            yield [one, Surface(upshot, client, one.keys)]
        upshot.close()


def race(servers: list[Surface], *asked: Callable[[Surface], Any]) -> list[Any]:
    """What each server answers when each is asked something at the same moment."""
    together, answers = threading.Barrier(len(servers)), list[Any](servers)

    def ask(number: int) -> None:
        together.wait()
        answers[number] = asked[number % len(asked)](servers[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(servers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def one_wins(answers: list[Any]) -> Any:
    """The winner's answer; the other was told that somebody was first, and by which field it was noticed."""
    won, told = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, told.status_code) == (200, 412), [answer.json() for answer in answers]
    problem = told.json()
    assert problem["type"] == "urn:upshot:problem:stale_revision"
    assert [(error["path"], error["code"]) for error in problem["errors"]] == [("revision", "stale_revision")]
    return won.json()


def put(path: str, revision: int, name: str, **more: Any) -> Callable[[Surface], Any]:
    headers = {"If-Match": f'"{revision}"'}
    return lambda server: server.put(path, document(description=name, **more), headers=headers)


def test_two_editors_save_one_draft(servers: list[Surface]) -> None:
    one, other = servers
    path = f"/automations/{one.post('/automations', document()).json()['id']}"
    for at in range(1, 2 * TIMES, 2):
        won = one_wins(race(servers, put(path, at, f"{at} here"), put(path, at, f"{at} there")))
        now = other.get(path).json()
        assert (now["draft_revision"], now["description"]) == (at + 1, won["description"])
        again = put(path, at + 1, f"{at} again")(other)
        assert again.json()["draft_revision"] == at + 2, "who was told reads it again, and saves on that"
    entries = one.get("/audit?noun=automation&limit=200").json()["items"]
    assert [entry["action"] for entry in entries].count("save") == 2 * TIMES


def test_two_publishes_at_once_make_one_version(servers: list[Surface]) -> None:
    path = f"/automations/{servers[0].post('/automations', document(status='active')).json()['id']}"
    for at in range(1, TIMES + 1):
        here, there = (put(path, at, f"{at} {where}", status="active") for where in ("here", "there"))
        won = one_wins(race(servers, here, there))
        assert (won["version"], won["draft_revision"], won["has_draft_changes"]) == (at + 1, at + 1, False)
        newest = servers[1].get(f"{path}/versions?limit=1").json()["items"][0]
        assert newest["document"]["description"] == won["description"]
    versions = servers[0].get(f"{path}/versions?limit=200").json()["items"]
    assert [one["version"] for one in versions] == list(range(TIMES + 1, 0, -1))


def test_what_two_publish_at_once_is_what_both_looked_at(servers: list[Surface]) -> None:
    path = f"/automations/{servers[0].post('/automations', document(status='active')).json()['id']}"
    for at in range(2, TIMES + 2):
        saved = put(path, at - 1, f"{at}")(servers[0]).json()["draft_revision"]
        answers = race(
            servers, lambda server, at=saved: server.post(f"{path}/publish", headers={"If-Match": f'"{at}"'})
        )
        assert [(one.status_code, one.json()["version"]) for one in answers] == [(200, at)] * 2
    entries = servers[0].get("/audit?noun=automation&limit=200").json()["items"]
    assert [entry["action"] for entry in entries].count("publish") == TIMES


def test_a_publish_and_a_save_at_once(servers: list[Surface]) -> None:
    """A save is never lost, and nothing is published that its publisher had not looked at."""
    path = f"/automations/{servers[0].post('/automations', document(description='1')).json()['id']}"
    for at in range(1, TIMES + 1):

        def publish(server: Surface, at: int = at) -> Any:
            return server.post(f"{path}/publish", headers={"If-Match": f'"{at}"'})

        published, saved = race(servers, publish, put(path, at, f"{at + 1}"))
        assert (saved.status_code, saved.json()["draft_revision"]) == (200, at + 1)
        if published.status_code == 200:
            newest = servers[0].get(f"{path}/versions?limit=1").json()["items"][0]
            assert newest["document"]["description"] == str(at)
        else:
            one_wins([published, saved])


def test_an_import_and_a_save_at_once(servers: list[Surface]) -> None:
    path = f"/automations/{servers[0].post('/automations', document()).json()['id']}"
    for at in range(1, TIMES + 1):
        file = [document(description=f"{at} imported"), document(name=f"beside {at}")]
        tag = servers[0].post("/automations/import?dry_run=true", file).headers["ETag"]

        def bring(server: Surface, file: Any = file, tag: str = tag) -> Any:
            return server.post("/automations/import", file, headers={"If-Match": tag})

        answers = race(servers, bring, put(path, at, f"{at} saved"))
        one_wins(answers)
        is_imported = answers[0].status_code == 200
        now = servers[0].get(path).json()
        told = f"{at} imported" if is_imported else f"{at} saved"
        assert (now["draft_revision"], now["description"]) == (at + 1, told)
        names = [item["name"] for item in servers[1].get("/automations?limit=200").json()["items"]]
        assert (f"beside {at}" in names) == is_imported, "all of a file, or nothing"

"""The scenario files over HTTP, on both stores: what they install, tell and look at goes through the API; time is moved."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from tests.surfaces.conftest import API
from tests.surfaces.test_webhooks import VENDORS, secret_of
from upshot import ActionContext, ActionError, PermanentError, Upshot
from upshot.app.settings import Settings
from upshot.app.upshot import DEFAULT_TENANT
from upshot.core.instants import SECOND, from_text
from upshot.core.packs import with_instants
from upshot.core.scenarios import Check, Observed, Scenario, ScenarioEvent, differences
from upshot.http.app import create_app
from upshot.testing import Harness, VirtualClock, scenario_files
from upshot.testing.clock import START
from upshot.testing.scenarios import _move_to, load_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"


class Client:
    """One who sees nothing but the API."""

    def __init__(self, harness: Harness, http: TestClient) -> None:
        key = harness.upshot.keys.create(DEFAULT_TENANT, name="one", role="admin")["key"]
        self._harness, self._http, self._headers = harness, http, {"Authorization": f"Bearer {key}"}
        self._webhooks: dict[str, tuple[str, str]] = {}
        self._ids: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request, which must be answered with a success."""
        more = {"json": body} if body is not None else {}
        answer = self._http.request(method, API + path, headers=self._headers, params=query, **more)  # type: ignore[arg-type] - what requests take
        assert answer.is_success, (method, path, answer.text)
        text = answer.text
        for own, name in self._ids.items():  # a scenario knows a webhook by its name
            text = text.replace(f"hook:{own}:", f"hook:{name}:")
        return json.loads(text)

    def install(self, scenario: Scenario, start: int) -> None:
        """What is there before it begins."""
        self.ask("PATCH", f"/tenants/{DEFAULT_TENANT}", {"settings": {"zone": scenario.zone}})
        for segment in scenario.segments:
            self.ask("POST", "/segments", msgspec.structs.asdict(segment))
        self._harness.settle()
        wanted = [{**document, "status": "active"} for document in scenario.automations]
        self.ask("POST", "/automations/import", wanted)
        for webhook in scenario.webhooks:
            scheme = webhook["signature"]["scheme"]
            secret = {} if scheme == "none" else {"secret": secret_of(scheme)}
            made = self.ask("POST", "/webhooks", {**webhook, **secret})
            self._webhooks[webhook["name"]] = made["token"], scheme
            self._ids[made["id"]] = webhook["name"]
        for one in scenario.given:
            fields = with_instants(one.fields, start)
            self.ask("POST", f"/entities/{one.type}", {"id": one.id, "fields": fields, "tags": one.tags})
            self._harness.settle()

    def tell(self, event: ScenarioEvent, start: int) -> None:
        """An event, or a delivery signed as its vendor signs."""
        placed = msgspec.structs.replace(event, data=with_instants(event.data, start))
        if placed.webhook is None:
            fields = {"name": placed.name, "data": placed.data, "id": placed.id, "entity": placed.entity}
            self.ask("POST", "/events", {name: value for name, value in fields.items() if value is not None})
        else:
            (token, scheme), body = self._webhooks[placed.webhook], json.dumps(placed.data).encode()
            signed = VENDORS[scheme](body, self._harness.clock.now() // SECOND, secret_of(scheme))
            headers = {"Content-Type": "application/json", **signed, **placed.headers}
            assert self._http.post(f"/hooks/{token}", content=body, headers=headers).is_success
        self._harness.settle()

    def look(self, check: Check) -> Observed:
        """What there is now."""
        listed = self.ask("GET", "/runs", limit=200)["items"] if check.runs else []
        types = sorted({expected.type for expected in check.all_entities})
        return Observed(
            [self.ask("GET", f"/runs/{run['id']}") for run in reversed(listed)],
            [one for type_ in types for one in self.ask("GET", f"/entities/{type_}", limit=200)["items"]],
            self.ask("GET", "/events", limit=200)["items"],
            {one.event: self._explained(one.event) for one in check.explained},
        )

    def _explained(self, event_id: str) -> Any:
        for own, name in self._ids.items():
            event_id = event_id.replace(f"hook:{name}:", f"hook:{own}:")
        return self.ask("GET", f"/events/{event_id}/explain")["automations"]


def build(url: str, clock: VirtualClock) -> Upshot:
    """The application of these scenarios: its only action fails as often as it is told to."""
    upshot = Upshot(url, clock=clock, settings=Settings(secret_key="k" * 32))

    @upshot.action("flaky")
    async def flaky(args: dict[str, Any], context: ActionContext) -> None:
        if context.attempt <= args["fails"]:
            raise (
                PermanentError("refused for good")
                if args.get("for_good")
                else ActionError("not now", retry_after_seconds=args.get("after"))
            )

    return upshot


@pytest.mark.parametrize("path", scenario_files(FOLDER), ids=lambda path: path.stem)
def test_the_scenario_comes_out_as_it_says_over_http(url: str, path: Path) -> None:
    scenario = load_scenario(path)
    start = from_text(scenario.start) if scenario.start is not None else START
    with Harness(build, url=url, now=start) as harness, TestClient(create_app(harness.upshot)) as http:
        client = Client(harness, http)
        client.install(scenario, start)
        told: list[str] = []
        for instant, one in scenario.timeline(start):
            _move_to(instant, harness, DEFAULT_TENANT)
            if isinstance(one, Check):
                told += differences(one, client.look(one))
            else:
                client.tell(one, start)
    assert told == []

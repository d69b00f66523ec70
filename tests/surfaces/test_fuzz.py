"""Row 15 of table A: every operation of the OpenAPI document with generated requests, fit and unfit, one by one and in
sequences that use what they made and deleted: no 5xx, only what is documented, nothing without a key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from tests.surfaces.conftest import Surface, document, make_surface
from upshot.http.openapi import schema as openapi_document

EXAMPLES = 40
FORGED = {"Authorization": "Bearer upk_x_y"}
schema: Any = schemathesis.openapi.from_dict(openapi_document()).exclude(path="/api/v1/stream")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    use_after_free,
]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surface]:
    """One installation for all operations, with something of every kind in it."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    made = make_surface(folder, requests_per_second=1_000_000)
    surface = next(made)
    surface.post("/automations", document(status="active"), tenant="default")
    surface.post("/events", {"name": "crm/appointment.created", "id": "0"}, tenant="default")
    surface.put("/entities/patient/0", {"fields": {"name": "Ada"}}, tenant="default")
    yield surface
    next(made, None)


FUZZING = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType] - its metaclass gives the members
)


@schema.parametrize()
@FUZZING
def test_a15_no_request_breaks_the_api(case: Any, fuzzed: Surface) -> None:
    headers = {**(case.headers or {}), "Authorization": f"Bearer {fuzzed.keys['default', 'admin']}"}
    case.call_and_validate(app=fuzzed.client.app, headers=headers, checks=CHECKS)


@schema.parametrize()
@settings(FUZZING, max_examples=5, phases=[Phase.generate])
def test_a15_no_request_is_heard_without_a_key_that_works(case: Any, fuzzed: Surface) -> None:
    if case.operation.definition.raw["x-role"] == "public":
        return
    case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
    for forged, refusals in (({}, {401}), ({"Authorization": "Basic eDp5"}, {401}), (FORGED, {401, 429})):
        assert case.call(app=fuzzed.client.app, headers=forged).status_code in refusals


def test_a15_no_sequence_of_requests_breaks_the_api(fuzzed: Surface) -> None:
    """What one request made is read, changed, deleted and asked for again by the next ones."""
    stateful = schemathesis.openapi.from_asgi("/api/v1/openapi.json", fuzzed.client.app)

    class Sequences(stateful.as_state_machine()):  # pyright: ignore[reportUntypedBaseClass] - made at run time
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            del case
            return {"headers": {"Authorization": f"Bearer {fuzzed.keys['default', 'admin']}"}}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Sequences.run(settings=settings(FUZZING, max_examples=15, stateful_step_count=10))


def test_a15_what_is_deleted_is_of_no_further_use(surface: Surface) -> None:
    automation = f"/automations/{surface.post('/automations', document(status='active')).json()['id']}"
    entity, declared = "/entities/note/used", "/event-types/used"
    surface.put(entity, {"fields": {}})
    surface.put(declared, {})
    for address in (automation, entity, declared):
        assert surface.delete(address).status_code == 204
        assert surface.get(address).status_code == surface.delete(address).status_code == 404
    anything = {"If-Match": "*"}
    assert surface.patch(entity, {"fields": {"n": 1}}, headers=anything).status_code == 404
    assert surface.put(automation, document(), headers=anything).status_code == 404
    for verb in ("publish", "activate", "pause", "archive", "duplicate"):
        assert surface.post(f"{automation}/{verb}").status_code == 404, verb
    for verb in ("run", "test"):
        assert surface.post(f"{automation}/{verb}", {"data": {}}).status_code == 404, verb
    for part in ("versions", "versions/1", "export"):
        assert surface.get(f"{automation}/{part}").status_code == 404, part
    made = surface.post("/keys", {"name": "used", "role": "viewer"}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert surface.client.get("/api/v1/stats", headers=headers).status_code == 200
    surface.delete(f"/keys/{made['id']}")
    assert surface.client.get("/api/v1/stats", headers=headers).status_code == 401

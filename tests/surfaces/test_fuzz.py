"""Every operation of the OpenAPI document with generated requests, fit and unfit: no 5xx, only what is documented."""

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
)

from tests.surfaces.conftest import Surface, document, make_surface
from upshot.http.openapi import schema as openapi_document

EXAMPLES = 40
schema: Any = schemathesis.openapi.from_dict(openapi_document()).exclude(path="/api/v1/stream")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
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


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType] - its metaclass gives the members
)
def test_no_request_breaks_the_api(case: Any, fuzzed: Surface) -> None:
    headers = {**(case.headers or {}), "Authorization": f"Bearer {fuzzed.keys['default', 'admin']}"}
    case.call_and_validate(app=fuzzed.client.app, headers=headers, checks=CHECKS)

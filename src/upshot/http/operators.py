"""`/operators`: the catalogue that condition builders are made from."""

from starlette.responses import Response

from upshot.core.conditions import operators
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("operators")


@router.get("/operators", **asks("viewer", shapes.OperatorItems, operation="list_operators"))
def list_operators(call: CallNow) -> Response:
    """List the operators of conditions: their names, symbols, and what they compare with."""
    del call
    return answer({"items": operators()})

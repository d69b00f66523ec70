"""`/actions`: the catalogue that step forms are made from."""

from starlette.responses import Response

from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("actions")


@router.get("/actions", **asks("viewer", shapes.ActionItems, operation="list_actions"))
def list_actions(call: CallNow) -> Response:
    """List the actions a step may perform, with the schemas of their arguments."""
    return answer({"items": [shapes.catalogue_item(action) for action in call.upshot.actions.all()]})

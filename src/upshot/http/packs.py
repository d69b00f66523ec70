"""`/packs`."""

from starlette.responses import Response

from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import packs as shapes

router = noun_router("packs")


@router.get("/packs", **asks("viewer", shapes.PackItems, operation="list_packs"))
def list_packs(call: CallNow) -> Response:
    """List the packs that can be installed."""
    return answer({"items": call.upshot.packs.list(), "next": None})


@router.get("/packs/{pack}", **asks("viewer", shapes.Pack, operation="get_pack"))
def get_pack(call: CallNow, pack: str) -> Response:
    """Show one pack."""
    return answer(call.upshot.packs.get(pack))


@router.post("/packs/{pack}/install", **asks("editor", shapes.InstalledPack, operation="install_pack"))
def install_pack(call: CallNow, pack: str) -> Response:
    """Declare the pack's event and entity types, and create its automations, active. Again is safe."""
    return answer(call.upshot.packs.install(call.tenant_id, pack, actor=call.actor))

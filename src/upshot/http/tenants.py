"""`/tenants`. The admin of the tenant `default` is the installation's and sees all; everybody else sees their own."""

from starlette.responses import Response

from upshot.app.listed import Listed
from upshot.core.errors import NotAllowed, NotFound
from upshot.http.auth import DEV_TENANT
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import Call, CallNow, answer, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("tenants")


def _is_host(call: Call) -> bool:
    return call.tenant_id == DEV_TENANT and call.caller.may("admin")


def _raise_unless_own(call: Call, tenant_id: str) -> None:
    if tenant_id != call.tenant_id and not _is_host(call):
        raise NotFound("tenant", tenant_id)


def _raise_unless_host(call: Call) -> None:
    if not _is_host(call):
        raise NotAllowed(f"Only an admin of the tenant {DEV_TENANT!r}, who runs this installation, may do this.")


@router.get("/tenants", **asks("viewer", shapes.TenantPage, operation="list_tenants"))
def list_tenants(call: CallNow, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the tenants: all of them for whoever runs the installation, else one's own."""
    after = call.place("tenants", cursor)
    if _is_host(call):
        return call.page("tenants", call.upshot.tenants.page(limit=limit, after=after))
    return call.page("tenants", Listed([call.upshot.tenants.get(call.tenant_id)]))


@router.post("/tenants", **asks("admin", shapes.Tenant, status=201, operation="create_tenant"))
def create_tenant(call: CallNow, body: shapes.NewTenant) -> Response:
    """Create a tenant. Only for whoever runs the installation."""
    _raise_unless_host(call)
    return answer(call.upshot.tenants.create(body.id, name=body.name, settings=body.settings, actor=call.actor), 201)


@router.get("/tenants/{tenant_id}", **asks("viewer", shapes.Tenant, operation="get_tenant"))
def get_tenant(call: CallNow, tenant_id: str) -> Response:
    """Show a tenant and its settings."""
    _raise_unless_own(call, tenant_id)
    return answer(call.upshot.tenants.get(tenant_id))


@router.patch("/tenants/{tenant_id}", **asks("admin", shapes.Tenant, operation="change_tenant"))
def change_tenant(call: CallNow, tenant_id: str, body: shapes.TenantPatch) -> Response:
    """Change a tenant's name and settings, or suspend it; limits and suspension are for whoever runs the installation."""
    _raise_unless_own(call, tenant_id)
    if body.status is not None or {"limits", "retention"} & (body.settings or {}).keys():
        _raise_unless_host(call)
    changed = call.upshot.tenants.change(
        tenant_id, name=body.name, status=body.status, settings=body.settings, actor=call.actor
    )
    return answer(changed)


@router.post(
    "/tenants/{tenant_id}/keys",
    **asks("admin", shapes.CreatedKey, status=201, operation="create_tenant_key", shown_once=True),
)
def create_tenant_key(call: CallNow, tenant_id: str, body: shapes.NewKey) -> Response:
    """Create a key of another tenant: the first one of a new tenant. Only for whoever runs the installation."""
    _raise_unless_own(call, tenant_id)
    made = call.upshot.keys.create(
        tenant_id, name=body.name, role=body.role, expires_at=body.expires_at, actor=call.actor
    )
    return answer(made, 201)

"""The admin UI: the files that its build put into `ui/`, under any prefix, with headers that let only them run."""

from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from upshot.http.problems import problem_response

FILES: Final = Path(__file__).parent / "ui"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
"""Styles may stand in elements, since the editors of the page place themselves that way. Scripts may not."""
FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
FILE_ENDINGS: Final = (".js", ".css", ".map", ".svg", ".png", ".ico", ".woff2", ".webmanifest", ".txt")
RESERVED: Final = frozenset({"api", "v1", "metrics", "livez", "readyz", "healthz", "openapi.json"})
"""First segments that are never the UI's own, so that a machine that asks for them is not told 200 and a page."""
MISSING: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Upshot</title></head><body>
<h1>The admin UI is not built</h1>
<p>The engine and the API run. In a checkout, <code>make run</code> builds the UI and starts again; the installed package
brings it along.</p><p><a href="api/docs">API documentation</a></p></body></html>"""


async def page(request: Request) -> Response:
    """A file of the UI, or its page for every address that is the UI's own to make sense of."""
    asked = request.path_params.get("path", "")
    file = _file(asked)
    if file is not None:
        cached = FOR_A_YEAR if asked.startswith("assets/") else "no-cache"
        return FileResponse(file, headers={"Cache-Control": cached, "Content-Security-Policy": POLICY})
    if _is_for_machines(request, asked):
        return problem_response(404, "not_found", "Not found", "There is nothing at this address.")
    if asked.startswith("assets/") or asked.endswith(FILE_ENDINGS):
        return problem_response(404, "not_found", "Not found", "The UI has no such file.")
    index = FILES / "index.html"
    if not index.is_file():
        return _html(MISSING, 503)
    return _html(_with_base(index.read_text(), request.scope.get("root_path") or ""))


def _is_for_machines(request: Request, asked: str) -> bool:
    """Whether this asks for anything but a page: by its first segment, however it is spelt, or by what it accepts."""
    first = next((segment for segment in asked.lower().split("/") if segment not in {"", ".", ".."}), "")
    accepted = request.headers.get("accept", "*/*").lower()
    return first in RESERVED or not any(kind in accepted for kind in ("text/html", "text/*", "*/*"))


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})


def _file(asked: str) -> Path | None:
    """The built file of this address. Only names that the build made are looked up, so no address leads elsewhere."""
    return _built(_built_at()).get(asked) if asked != "index.html" else None


def _built_at() -> int:
    index = FILES / "index.html"
    return index.stat().st_mtime_ns if index.is_file() else 0


@lru_cache(maxsize=1)
def _built(_at: int) -> dict[str, Path]:
    return {path.relative_to(FILES).as_posix(): path for path in FILES.rglob("*") if path.is_file()} if _at else {}


@lru_cache(maxsize=8)
def _with_base(index: str, root_path: str) -> str:
    base = escape(f"{root_path.rstrip('/')}/", quote=True)
    return index.replace('<base href="/" />', f'<base href="{base}" />').replace(
        '<meta name="upshot-base" content="" />', f'<meta name="upshot-base" content="{base}" />'
    )

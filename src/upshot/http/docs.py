"""`/api/docs`: the OpenAPI document as a plain page, made here, that asks no other site for anything."""

import base64
import hashlib
from functools import lru_cache
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from upshot.http.openapi import schema
from upshot.http.routing import ROLE

STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.55 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:2rem 1.25rem 6rem}
h1{margin:0 0 .5rem}h2{margin:2.5rem 0 .25rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
p{margin:.4rem 0}code{font:13px/1.5 ui-monospace,monospace}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.45rem .75rem}summary{cursor:pointer}
.verb{display:inline-block;min-width:4.2rem;font-weight:650}.role{float:right;opacity:.7}nav a{margin-right:.9rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);padding:.3rem .5rem}
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)


async def docs(_request: Request) -> Response:
    """The page."""
    return HTMLResponse(page(), headers={"Content-Security-Policy": POLICY})


@lru_cache(maxsize=1)
def page() -> str:
    """The HTML of the page."""
    document = schema()
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag[operation["tags"][0]].append(_operation(path, method, operation))
    links = "".join(f'<a href="#{name}">{name}</a>' for name in by_tag)
    parts = "".join(
        f'<h2 id="{tag["name"]}">{tag["name"]}</h2><p>{escape(tag["description"])}</p>{"".join(by_tag[tag["name"]])}'
        for tag in document["tags"]
    )
    shapes = "".join(_shape(name, shape) for name, shape in sorted(document["components"]["schemas"].items()))
    about = "".join(f"<p>{escape(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Upshot API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f'<h1>Upshot API</h1>{about}<p>As a document: <a href="v1/openapi.json">openapi.json</a></p>'
        f'<nav>{links}<a href="#shapes">shapes</a></nav>{parts}<h2 id="shapes">shapes</h2>{shapes}</body></html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td>"
        f"<td>{_type(parameter.get('schema', {}))}</td><td>{escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", [])
    )
    parameters = f"<table><tr><th>name</th><th>in</th><th>type</th><th></th></tr>{rows}</table>" if rows else ""
    body = ""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = f"<p>Body: {_type(content['schema'])}</p>"
    answers = ", ".join(
        f"<b>{status}</b> {_answer(told)}" for status, told in operation["responses"].items() if status < "300"
    )
    problems = ", ".join(status for status in operation["responses"] if status >= "300")
    summary = (
        f'<span class="role">{operation.get(ROLE, "")}</span><span class="verb">{method.upper()}</span> '
        f"<code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    )
    about = f"<p>{escape(operation.get('description', ''))}</p>"
    told = f"<p>Answers: {answers}; problems {problems}.</p>"
    return _folded(operation["operationId"], summary, f"{about}{parameters}{body}{told}")


def _folded(identity: str, summary: str, text: str) -> str:
    return f'<details id="{escape(identity)}"><summary>{summary}</summary>{text}</details>'


def _answer(told: dict[str, Any]) -> str:
    return ", ".join(_type(content.get("schema", {})) for content in told.get("content", {}).values()) or "no content"


def _type(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        name = escape(shape["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#shape-{name}">{name}</a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in shape:
            return " or ".join(_type(inner) for inner in shape[word])
    if "enum" in shape:
        return " | ".join(escape(str(value)) for value in shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    return escape(str(shape.get("title") if shape.get("type") is None else shape["type"]))


def _shape(name: str, shape: dict[str, Any]) -> str:
    wanted = set(shape.get("required", []))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in wanted else ' (optional)'}</td><td>{_type(inner)}</td>"
        f"<td>{escape(inner.get('description', ''))}</td></tr>"
        for field, inner in shape.get("properties", {}).items()
    )
    summary = f"<code>{escape(name)}</code> {escape(shape.get('description', ''))}"
    return _folded(f"shape-{name}", summary, f"<table>{rows}</table>")

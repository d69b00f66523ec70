"""The page is written against the API that is served: its types are made from the present shapes."""

import hashlib
import json
from pathlib import Path

from upshot.http.openapi import schema

TYPES = Path(__file__).parents[2] / "ui" / "src" / "api" / "schema.d.ts"


def number(text: str) -> int | float:
    """A number as JavaScript writes it, which tells 1.0 from 1 no more."""
    return int(float(text)) if float(text).is_integer() else float(text)


def test_the_types_of_the_page_are_made_from_the_present_shapes() -> None:
    shapes = json.loads(json.dumps(schema()["components"]["schemas"]), parse_float=number)
    text = json.dumps(shapes, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    head = TYPES.read_text().partition("\n")[0]
    assert digest in head, "run `upshot openapi > openapi.json && npm run types` in ui/"

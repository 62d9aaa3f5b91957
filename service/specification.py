"""The API's specification: openapi.yaml, with the properties of the table where it has a mark for them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from hmar.properties.table import TABLE

_FILE = Path(__file__).parent / "openapi.yaml"
_MARK = re.compile(r"^( *)# properties: (\w+)\n", re.MULTILINE)


@cache
def specification() -> str:
    """Return the specification as YAML."""
    lines = {"conditions": _conditions(), "values": _values(), "names": _names()}
    text = _FILE.read_text(encoding="utf-8")
    return _MARK.sub(lambda mark: "".join(f"{mark[1]}{line}\n" for line in lines[mark[2]]), text)


def _conditions() -> list[str]:
    """Return what a filter on each property takes; JSON is YAML."""
    return [
        f"{name}: {json.dumps({'description': f'Only {item.finds}.', **item.kind.condition_schema()})}"
        for name, item in TABLE.items()
    ]


def _values() -> list[str]:
    return [f"{name}: {json.dumps(item.schema())}" for name, item in TABLE.items() if item.shown]


def _names() -> list[str]:
    return [f"{name}," for name, item in TABLE.items() if item.shown]

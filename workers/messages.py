"""What a message on the broker must look like. Other programs may write to the broker, and so may anybody.

A message is read here, and made anew from the few words that matter: whatever else it said, such as to
run later, to call something afterwards, or to be unpacked, is forgotten.
"""

from __future__ import annotations

import binascii
import json
import re
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from hmar import request_ids
from hmar.adapters.celery_queue import QUEUE, TASK

_KIND = re.compile(r"[a-z_]{1,32}")
_TARGET = re.compile(r"[0-9a-f-]{1,40}")
"""An id of a job or of an item."""

_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError, binascii.Error)


def task_of(raw: object) -> tuple[str, str, str] | None:
    """Return kind, target and request id of a message on the queue, None where it is not one of ours.

    The id is empty for a message that no request caused, and for an id that cannot be one.

    Parameters
    ----------
    raw : object
        The message as kombu wrote it, read as JSON.
    """
    try:
        if raw["headers"]["task"] != TASK:  # type: ignore[index]
            return None
        [kind, target, *rest], options, _ = json.loads(_body(raw))
        known = not options and len(rest) <= 1 and _KIND.fullmatch(kind) and _TARGET.fullmatch(target)
        request_id = rest[0] if rest and request_ids.valid(rest[0]) else ""
    except _UNREADABLE:
        return None
    return (kind, target, request_id) if known else None


def is_ping(raw: object) -> bool:
    """Return whether a message to all workers asks whether they live: the one command that HMAR sends."""
    try:
        properties, headers = raw["properties"], raw["headers"]  # type: ignore[index]
        command = json.loads(_body(raw))
        reply_to = command["reply_to"]
        return (
            command["method"] == "ping"
            and not (command["arguments"] or command["destination"])
            and not (command["pattern"] or command["matcher"])
            and "compression" not in headers
            and {type(reply_to["exchange"]), type(reply_to["routing_key"])} == {str}
            and isinstance(headers, dict)
            and isinstance(properties["delivery_tag"], str)
            and isinstance(properties["delivery_info"], dict)
        )
    except _UNREADABLE:
        return False


def envelope(kind: str, target: str, request_id: str = "") -> dict[str, Any]:
    """Return a message with this content and nothing else, as kombu reads it."""
    task_id = str(uuid.uuid4())
    body = json.dumps([[kind, target, request_id], {}, {}]).encode()
    return {
        "body": b64encode(body).decode("ascii"),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": task_id, "root_id": task_id},
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def _body(raw: Any) -> bytes:
    """Return the body of a message; raises one of many errors where it has none that we wrote."""
    if not isinstance(raw, Mapping) or raw["content-type"] != "application/json":
        raise TypeError
    if raw["content-encoding"] != "utf-8" or raw["properties"]["body_encoding"] != "base64":
        raise ValueError
    return b64decode(raw["body"], validate=True)

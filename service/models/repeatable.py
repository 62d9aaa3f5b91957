"""Requests that may come again: a key by which a repeated one is known."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema

from hmar.errors import ParameterError
from service.models.asked import Asked
from service.models.left_out import LeftOut

# No comma: a header that was sent twice arrives as one, with a comma.
_PATTERN = r"[!-+\--~]{1,255}"


def _key(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_PATTERN, value):
        raise ParameterError(
            "The header Idempotency-Key is no key.",
            "Send it once, with 1 to 255 letters, digits and signs and without a comma, such as a UUID.",
        )
    return value


IdempotencyKey = Annotated[
    str, PlainValidator(_key), WithJsonSchema({"type": "string", "pattern": f"^{_PATTERN}$"})
]


class Repeatable(Asked):
    """How a request is known that comes again."""

    model_config = ConfigDict(populate_by_name=True)

    idempotency_key: LeftOut[IdempotencyKey] = Field(
        default=None,
        alias="Idempotency-Key",
        description=(
            "Drawn anew for each new request. The same key with the same content is the same job for 24 "
            "hours, so that a request whose answer was lost can be sent again."
        ),
    )

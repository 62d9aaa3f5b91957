"""A frame's stored values of an answer: what its headers say of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from hmar.values.frames import FrameInfo
from hmar.values.indexed import IndexedFrame
from hmar.values.orientation import cosines_of
from hmar.values.stored import (
    Meaning,
    PixelType,
    StoredFrame,
    StoredUnits,
    WindowFunction,
    dtype_of,
    shape_of,
)


def frame_of(data: bytes, headers: Mapping[str, str], asked: IndexedFrame) -> StoredFrame:
    """Return the frame that an answer gives.

    Of its info, UIDs but its own and all properties are unknown. Raises ValueError or KeyError for an answer
    that is none.
    """
    rows, columns = int(headers["X-HMAR-Rows"]), int(headers["X-HMAR-Columns"])
    kind: PixelType = _one_of(headers["X-HMAR-Type"], get_args(PixelType))
    values = np.frombuffer(data, dtype_of(kind)).reshape(shape_of(kind, rows, columns))
    info = FrameInfo.from_dict(
        {
            "sop_instance_uid": asked.sop_instance_uid,
            "frame_number": asked.frame_number,
            "rows": rows,
            "columns": columns,
            "spacing_mm": _numbers(headers.get("X-HMAR-Spacing")),
            "position_mm": _numbers(headers.get("X-HMAR-Position")),
        }
    )
    return StoredFrame(info, values, _meaning(headers))


def _meaning(headers: Mapping[str, str]) -> Meaning:
    windows = [_numbers(pair) or [] for pair in headers.get("X-HMAR-Windows", "").split(";") if pair]
    padding = headers.get("X-HMAR-Padding")
    directions = headers.get("X-HMAR-Directions")
    function: WindowFunction = _one_of(headers["X-HMAR-Window-Function"], get_args(WindowFunction))
    return Meaning(
        units=StoredUnits(headers["X-HMAR-Units"]),
        slope=float(headers["X-HMAR-Slope"]),
        intercept=float(headers["X-HMAR-Intercept"]),
        units_note=headers.get("X-HMAR-Units-Note"),
        inverted=headers["X-HMAR-Inverted"] == "true",
        windows=tuple((centre, width) for centre, width in windows),
        window_function=function,
        padding=None if padding is None else _pair([int(end) for end in padding.split(",")]),
        orientation=cosines_of(_numbers(headers.get("X-HMAR-Orientation")) or []),
        directions=None if directions is None else _pair(directions.split(",")),
    )


def _numbers(listed: str | None) -> list[float] | None:
    return None if listed is None else [float(number) for number in listed.split(",")]


def _pair(parts: list[Any]) -> Any:
    first, second = parts
    return first, second


def _one_of(said: str, known: tuple[Any, ...]) -> Any:
    if said not in known:
        raise ValueError(said)
    return said

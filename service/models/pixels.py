"""The pixels of a frame: what a viewer is told beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from hmar.values.stored import PixelType, StoredFrame, StoredUnits, WindowFunction
from service.models.given import Headers
from service.models.numbers import FromOne
from service.models.search_request import SentFrame
from service.models.whole_numbers import FrameCount

_NUMBER = r"-?[0-9][0-9.e+-]*"


class PixelForm(SentFrame):
    """A file, which of its frames, and how many from there on."""

    count: FrameCount = 1


class PixelHeaders(Headers):
    """What the numbers in the body are, where they lie in the patient, and how they are shown."""

    rows: FromOne = Field(serialization_alias="X-HMAR-Rows")
    columns: FromOne = Field(serialization_alias="X-HMAR-Columns")
    type: PixelType = Field(
        serialization_alias="X-HMAR-Type", description="Of a pixel; little-endian, row by row from the top."
    )
    units: StoredUnits = Field(
        serialization_alias="X-HMAR-Units",
        description="Of value x slope + intercept. modality: no units are known.",
    )
    units_note: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Units-Note",
        description="Why a rescaled CT is not in HU; absent elsewhere.",
    )
    slope: str = Field(serialization_alias="X-HMAR-Slope", pattern=f"^{_NUMBER}$")
    intercept: str = Field(serialization_alias="X-HMAR-Intercept", pattern=f"^{_NUMBER}$")
    inverted: Literal["true", "false"] = Field(
        serialization_alias="X-HMAR-Inverted", description="Whether large values are dark."
    )
    windows: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Windows",
        description="The file's display windows, centre,width with semicolons between, in the units above; "
        "absent where it has none: then the range of the values is shown.",
    )
    window_function: WindowFunction = Field(serialization_alias="X-HMAR-Window-Function")
    padding: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Padding",
        description="Least and largest stored value that stands for no pixel of the image; absent without "
        "any.",
    )
    spacing: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Spacing",
        description="Pixel spacing in mm between rows, then between columns; absent where unknown.",
    )
    position: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Position",
        description="ImagePositionPatient (x, y, z) in mm; absent where unknown.",
    )
    orientation: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Orientation",
        description="Direction cosines of a row, then of a column (0020,0037); absent where unknown.",
    )
    directions: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Directions",
        description="Where a row and where a column goes in the patient, as L,P; absent where unknown.",
    )

    @classmethod
    def of_frame(cls, frame: StoredFrame) -> PixelHeaders:
        """Return what is told of a frame. Numbers are written in full."""
        info, meaning = frame.info, frame.meaning
        return cls(
            rows=info.rows,
            columns=info.columns,
            type=frame.type,
            units=meaning.units,
            units_note=meaning.units_note,
            slope=repr(meaning.slope),
            intercept=repr(meaning.intercept),
            inverted="true" if meaning.inverted else "false",
            windows=";".join(map(_listed, meaning.windows)) or None,
            window_function=meaning.window_function,
            padding=None if meaning.padding is None else _listed(meaning.padding),
            spacing=None if info.spacing is None else _listed(info.spacing),
            position=None if info.position is None else _listed(info.position),
            orientation=None if meaning.orientation is None else _listed(meaning.orientation),
            directions=None if meaning.directions is None else ",".join(meaning.directions),
        )


class WholePixels(PixelHeaders):
    """Those of a whole frame."""

    etag: str | None = Field(
        default=None,
        serialization_alias="ETag",
        description="Names the content, for If-None-Match and If-Range.",
    )
    ranges: Literal["bytes"] = Field(default="bytes", serialization_alias="Accept-Ranges")


class FilePixels(PixelHeaders):
    """Those of frames of a file that was sent, which are alike in all but their positions."""

    frames: FromOne = Field(serialization_alias="X-HMAR-Frames", description="Number of frames in the file.")
    count: FromOne = Field(serialization_alias="X-HMAR-Count", description="Number of frames in the body.")

    @classmethod
    def of_run(cls, run: Sequence[StoredFrame], frames: int) -> FilePixels:
        """Return what is told of some of a file's frames; positions have semicolons between."""
        told = [PixelHeaders.of_frame(frame) for frame in run]
        positions = ";".join(one.position for one in told if one.position is not None) or None
        return cls(**{**dict(told[0]), "position": positions}, frames=frames, count=len(run))


class PartOfPixels(WholePixels):
    """Those of a part of a frame."""

    content_range: str | None = Field(
        default=None, serialization_alias="Content-Range", description="Which bytes, of how many."
    )


def _listed(numbers: tuple[float, ...]) -> str:
    return ",".join(repr(int(value) if float(value).is_integer() else float(value)) for value in numbers)

"""PNG and JPEG in and out: pictures that are not DICOM, and frames for the screen."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hmar.errors import DecodeError, LimitError, ParameterError
from hmar.image.exif import orientation
from hmar.image.grid import display
from hmar.image.png import SIGNATURE, bit_depth, without_ancillary_chunks
from hmar.values.frames import MAX_PROGRESSIVE_SAMPLES, FloatArray, Frame, FrameInfo, Units
from hmar.values.headers import FileHeader
from hmar.values.stored import SHADES, Meaning, StoredFrame, StoredUnits
from hmar.values.uids import derived_uid

# Pillow's own limit is one constant for the process; the size is checked against the setting instead, below.
Image.MAX_IMAGE_PIXELS = None

_FORMATS = ("PNG", "JPEG")
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_WHITE = {"1": 1.0, "L": 255.0, "I": 65535.0, "I;16": 65535.0, "I;16B": 65535.0}

# Exif orientation, by how the picture must be turned to stand upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class RasterFile:
    """A PNG or JPEG as a file of one frame, with UIDs derived from its content."""

    def __init__(self, info: FrameInfo, values: FloatArray) -> None:
        self._info = info
        self._values = values

    @property
    def infos(self) -> Sequence[FrameInfo]:
        """The one frame's identity and geometry."""
        return (self._info,)

    def frame(self, frame_number: int) -> Frame:
        """Return the frame; raises ParameterError for any number but 1."""
        if frame_number != 1:
            raise ParameterError(
                f"Frame {frame_number} was asked for.", "This file has one frame: ask for frame 1."
            )
        return Frame(self._info, self._values, Units.PRESENTATION)

    def stored(self, frame_number: int) -> StoredFrame:
        """Return the frame's grey in whole numbers; raises as :meth:`frame`."""
        values = np.rint(self.frame(frame_number).values * SHADES).astype(np.uint16)
        return StoredFrame(self._info, values, Meaning(StoredUnits.PRESENTATION, slope=1 / SHADES))

    def header(self, frame_number: int) -> FileHeader:
        """Return what a viewer is told: a secondary capture (PS3.4 B.5) of whole numbers."""
        frame = self.stored(frame_number)
        return FileHeader(frame.type, 16, frame.meaning, "", {"SOPClassUID": (_SECONDARY_CAPTURE,)})


def is_raster(data: bytes) -> bool:
    """Tell PNG and JPEG by their first bytes."""
    return data.startswith((SIGNATURE, b"\xff\xd8\xff"))


def read_raster(data: bytes, max_pixels: int) -> RasterFile:
    """Read a PNG or JPEG.

    Colour becomes luminance (ITU-R BT.601); the background of transparency is black. The picture is turned as
    its Exif orientation says, as every viewer shows it; rows and columns are those of the turned picture.

    Raises
    ------
    DecodeError
        If the bytes are not a complete PNG or JPEG.
    LimitError
        If it has more than ``max_pixels`` pixels, or, as a progressive JPEG, more samples than are allowed;
        found out before decoding.
    """
    plain = without_ancillary_chunks(data) if data.startswith(SIGNATURE) else data
    try:
        with Image.open(io.BytesIO(plain), formats=_FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise LimitError(
                    f"The image has {image.width} x {image.height} pixels; {max_pixels} are allowed.",
                    "Send a smaller image.",
                )
            _check_progressive(image)
            values = _luminance(_upright(image), bit_depth(data))
    except LimitError:
        raise
    except (OSError, ValueError, SyntaxError) as error:
        raise DecodeError(
            f"The {len(data)} bytes are not a complete PNG or JPEG image.", "Send the whole file, unaltered."
        ) from error
    return RasterFile(_info(data, values), values)


def _check_progressive(image: Image.Image) -> None:
    """Refuse a progressive JPEG of too many samples: all its coefficients are held until its last scan."""
    samples = image.width * image.height * len(image.getbands())
    if image.info.get("progressive") and samples > MAX_PROGRESSIVE_SAMPLES:
        raise LimitError(
            f"The progressive JPEG has {samples} samples; {MAX_PROGRESSIVE_SAMPLES} are allowed.",
            "Store it as a baseline JPEG, or send a smaller image.",
        )


def _upright(image: Image.Image) -> Image.Image:
    turn = _TURNS.get(orientation(image.info.get("exif") or b""))
    return image if turn is None else image.transpose(turn)


def _luminance(image: Image.Image, depth: int) -> FloatArray:
    if image.mode in _WHITE:
        values = _scaled(image, _WHITE[image.mode])
        clear = image.info.get("transparency")
        if isinstance(clear, int):  # in samples as they are in the file, before they are scaled to 8 bits
            white = (1 << depth) - 1
            values[np.isclose(values, min(clear, white) / white, atol=1e-6)] = 0
        return values.clip(0, 1)
    if "A" in image.mode or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
    return _scaled(image.convert("L"), 255.0)


def _scaled(image: Image.Image, white: float) -> FloatArray:
    values = np.array(image, dtype=np.float32)
    values /= np.float32(white)  # in place: a large picture takes hundreds of megabytes
    return values


def _info(data: bytes, values: FloatArray) -> FrameInfo:
    uid = derived_uid(hashlib.sha256(data).digest())
    rows, columns = values.shape
    return FrameInfo(
        study_uid=uid,
        series_uid=uid,
        sop_instance_uid=uid,
        frame_number=1,
        modality="OT",
        body_part=None,
        patient_key=None,
        rows=rows,
        columns=columns,
        spacing=None,
        uids_derived=True,
    )


def render(frame: Frame, display_window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Return a frame as 8-bit grey.

    Parameters
    ----------
    frame : Frame
        Hounsfield units are shown through ``display_window``, else through the file's own window, else
        through 40/400; presentation values as they are.
    display_window : tuple of float or None
        (centre, width) in HU, or in percent of the full range for presentation values.
    """
    if frame.units is Units.HU:
        shown = display(frame.values, *(display_window or frame.display_window or (40.0, 400.0)))
    elif display_window is not None:
        shown = display(frame.values * np.float32(100), *display_window)
    else:
        shown = np.clip(frame.values, 0.0, 1.0)
    return np.rint(shown * 255).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode 8-bit grey or RGB pixels as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode 8-bit grey or RGB pixels as baseline JPEG, whose quality is nearly that of the pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()

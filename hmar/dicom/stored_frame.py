"""One frame as it is stored, and what its numbers mean; see :mod:`hmar.values.stored`."""

from __future__ import annotations

from typing import get_args

import numpy as np
from pydicom.dataset import Dataset

from hmar.dicom.colour import as_rgb, colour_space
from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.dicom.header import integer, numbers, text, texts
from hmar.dicom.modality import is_hounsfield, rescale, units_note
from hmar.dicom.pixel_format import COLOUR, MONOCHROME, pixel_format
from hmar.dicom.pixels import Pixels, decode_frame, padding_range, stored_frame
from hmar.dicom.presentation import display_windows
from hmar.values.frames import Units
from hmar.values.orientation import Cosines, cosines_of, directions_of, is_direction
from hmar.values.stored import (
    MAX_WINDOWS,
    SHADES,
    Meaning,
    PixelType,
    StoredArray,
    StoredUnits,
    WindowFunction,
    type_of,
)

_BITS = 16


def stored_pixels(
    dataset: Dataset, header: Dataset, frame_number: int, streams: EncapsulatedFrames | None
) -> tuple[StoredArray, Meaning]:
    """Return the stored values of one frame.

    Grey of up to 16 bits is given as it is stored, colour of 8 bits as red, green and blue. For all else
    (palettes, tables in place of a rescale, floats, more bits) it is what the product makes of it: whole
    Hounsfield units, or presentation values in 65,535 steps.

    Parameters and errors are those of :func:`hmar.dicom.pixels.decode_frame`.
    """
    if _is_plain_grey(dataset, header):
        stored, _ = stored_frame(dataset, frame_number, streams)
        signed = stored.dtype.kind == "i"
        return stored.astype(np.int16) if signed else stored.astype(np.uint16), _grey(header)
    if text(header, "PhotometricInterpretation") in COLOUR and integer(dataset, "BitsStored") == 8:
        stored, stream = stored_frame(dataset, frame_number, streams)
        space = colour_space(text(header, "PhotometricInterpretation"), stream)
        if stored.dtype == np.uint8:
            return as_rgb(stored, space), _shown(header, 255)
    return _made(decode_frame(dataset, header, frame_number, streams), header)


def stored_form(
    dataset: Dataset, header: Dataset, frame_number: int, streams: EncapsulatedFrames | None
) -> tuple[PixelType, int, Meaning]:
    """Return what :func:`stored_pixels` gives but for the values: type, bits of a value, and meaning.

    Nothing is decoded where the header tells it. Parameters and errors are those of :func:`stored_pixels`.
    """
    if _is_plain_grey(dataset, header):
        layout = pixel_format(dataset)
        return "int16" if layout.signed else "uint16", layout.bits_stored, _grey(header)
    if _is_plain_colour(dataset, header):
        return "rgb8", 8, _shown(header, 255)
    values, meaning = stored_pixels(dataset, header, frame_number, streams)
    return type_of(values), 8 * values.dtype.itemsize, meaning


def _is_plain_colour(dataset: Dataset, header: Dataset) -> bool:
    """Whether samples are whole numbers from 0 to 255 in a byte each."""
    return (
        text(header, "PhotometricInterpretation") in COLOUR
        and (integer(dataset, "BitsAllocated"), integer(dataset, "BitsStored")) == (8, 8)
        and integer(dataset, "PixelRepresentation") == 0
    )


def _is_plain_grey(dataset: Dataset, header: Dataset) -> bool:
    table = header.get("ModalityLUTSequence") or (header.get("VOILUTSequence") and not is_hounsfield(header))
    return (
        "PixelData" in dataset
        and text(header, "PhotometricInterpretation") in MONOCHROME
        and not table
        and (integer(dataset, "BitsStored") or 0) <= _BITS
    )


def _grey(header: Dataset) -> Meaning:
    slope, intercept = rescale(header, "RescaleSlope"), rescale(header, "RescaleIntercept")
    scaled = slope is not None and intercept is not None
    in_hu = is_hounsfield(header)
    orientation, directions = _lie(header)
    return Meaning(
        units=StoredUnits.HU if in_hu else StoredUnits.MODALITY,
        slope=slope if slope is not None and scaled else 1.0,
        intercept=intercept if intercept is not None and scaled else 0.0,
        units_note=units_note(header),
        inverted=not in_hu and text(header, "PhotometricInterpretation") == "MONOCHROME1",
        windows=tuple((window.centre, window.width) for window in display_windows(header)[:MAX_WINDOWS]),
        window_function=_function(header),
        padding=padding_range(header),
        orientation=orientation,
        directions=directions,
    )


def _shown(header: Dataset, white: int) -> Meaning:
    orientation, directions = _lie(header)
    return Meaning(
        StoredUnits.PRESENTATION,
        slope=1 / white,
        units_note=units_note(header),
        orientation=orientation,
        directions=directions,
    )


def _made(pixels: Pixels, header: Dataset) -> tuple[StoredArray, Meaning]:
    if pixels.units is Units.PRESENTATION:
        return np.rint(pixels.values * SHADES).astype(np.uint16), _shown(header, SHADES)
    orientation, directions = _lie(header)
    window = () if pixels.display_window is None else (pixels.display_window,)
    meaning = Meaning(StoredUnits.HU, windows=window, orientation=orientation, directions=directions)
    limits = np.iinfo(np.int16)
    return np.rint(pixels.values).clip(limits.min, limits.max).astype(np.int16), meaning


def _function(header: Dataset) -> WindowFunction:
    """Return the VOI LUT Function; an unknown one was refused with the windows."""
    said = text(header, "VOILUTFunction").upper()
    return next((known for known in get_args(WindowFunction) if known == said), "LINEAR")


def _lie(header: Dataset) -> tuple[Cosines | None, tuple[str, str] | None]:
    """Return how a frame lies in the patient: by cosines where it has them, else by letters."""
    if cosines := cosines_of(numbers(header, "ImageOrientationPatient")):
        return cosines, directions_of(cosines)
    said = [each.upper() for each in texts(header, "PatientOrientation")]
    if len(said) == 2 and all(map(is_direction, said)):
        return None, (said[0], said[1])
    return None, None

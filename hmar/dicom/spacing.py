"""The spacing of pixels, from whichever element has it."""

from __future__ import annotations

from pydicom.dataset import Dataset

from hmar.dicom.header import integer, numbers, text
from hmar.values.geometry import Spacing

_MAX_MAGNIFICATION = 20.0
_MAX_ASPECT = 20.0
_REGION_2D, _CENTIMETRES = 1, 3
_MOST_OF_FRAME = 0.9


def frame_spacing(header: Dataset) -> Spacing | None:
    """Return the pixel spacing of a frame in mm, None where it is unknown.

    Notes
    -----
    The first of these that the frame has:

    1. Pixel Spacing (0028,0030).
    2. Imager Pixel Spacing (0018,1164), which is measured at the detector; divided by the Estimated
       Radiographic Magnification Factor (0018,1114) where there is one, as the anatomy is smaller than its
       projection by that (PS3.3 10.7.1.3).
    3. Nominal Scanned Pixel Spacing (0018,2010), that of a scanned film (PS3.3 C.8.6.1).

    Ultrasound is calibrated by region (PS3.3 C.8.5.5): it has a spacing where its only region, a 2D image in
    centimetres, covers at least nine tenths of the frame.
    """
    if text(header, "Modality").upper() == "US":
        return _ultrasound_spacing(header)
    if spacing := _pair(header, "PixelSpacing"):
        return spacing
    if spacing := _pair(header, "ImagerPixelSpacing"):
        magnification = _magnification(header)
        return Spacing(spacing.row_mm / magnification, spacing.column_mm / magnification)
    return _pair(header, "NominalScannedPixelSpacing")


def pixel_aspect(header: Dataset) -> float | None:
    """Return the height of a pixel over its width by Pixel Aspect Ratio (0028,0034), None without one."""
    ratio = _pair(header, "PixelAspectRatio")
    if ratio is None:
        return None
    aspect = ratio.row_mm / ratio.column_mm
    return aspect if 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT else None


def _pair(header: Dataset, keyword: str) -> Spacing | None:
    found = numbers(header, keyword)
    return Spacing(*found) if len(found) == 2 and min(found) > 0 else None


def _magnification(header: Dataset) -> float:
    factor = numbers(header, "EstimatedRadiographicMagnificationFactor")
    return factor[0] if len(factor) == 1 and 1 <= factor[0] <= _MAX_MAGNIFICATION else 1.0


def _ultrasound_spacing(header: Dataset) -> Spacing | None:
    regions = header.get("SequenceOfUltrasoundRegions") or []
    if len(regions) != 1:
        return None
    region = regions[0]
    is_2d = integer(region, "RegionSpatialFormat") == _REGION_2D
    units = {integer(region, f"PhysicalUnits{axis}Direction") for axis in "XY"}
    deltas = [numbers(region, f"PhysicalDelta{axis}") for axis in "YX"]
    if not is_2d or units != {_CENTIMETRES} or any(len(delta) != 1 or not delta[0] for delta in deltas):
        return None
    if _covered(region, header) < _MOST_OF_FRAME:
        return None
    # A negative delta says that the axis runs the other way.
    return Spacing(abs(deltas[0][0]) * 10, abs(deltas[1][0]) * 10)


def _covered(region: Dataset, header: Dataset) -> float:
    """Return the share of the frame that a region covers; both its ends belong to it."""
    share = 1.0
    for low, high, size in (
        ("RegionLocationMinX0", "RegionLocationMaxX1", "Columns"),
        ("RegionLocationMinY0", "RegionLocationMaxY1", "Rows"),
    ):
        first, last, length = integer(region, low), integer(region, high), integer(header, size)
        if first is None or last is None or not length:
            return 0.0
        share *= max(0, min(last, length - 1) - max(first, 0) + 1) / length
    return share

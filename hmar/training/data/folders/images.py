"""Images that were found in folders, where they lie in the body, and how they are looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.folders.drawn import Drawn
from hmar.values.frames import FrameInfo

Key = tuple[str, int]
"""SOP Instance UID and frame number."""

SAME_PLANE_MM = 0.5
"""Two planes are one if they are no farther apart: no scanner reconstructs slices as near to each other."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was read: its path, and the SHA-256 and the number of its bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """One frame of a file.

    Parameters
    ----------
    file : SourceFile
    info : FrameInfo
    orientation : tuple of float or None
        ImageOrientationPatient: the direction of rows, then of columns.
    """

    file: SourceFile
    info: FrameInfo
    orientation: tuple[float, ...] | None = None

    @property
    def key(self) -> Key:
        """What tells it from all other images."""
        return self.info.sop_instance_uid, self.info.frame_number

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.info.rows, self.info.columns

    def pixels_of(self, points: Vector) -> Vector:
        """Return points (n, 3) in mm as (column, row, mm in front of the plane) (n, 3).

        (0, 0) is the centre of the first pixel (PS3.3 C.7.6.2.1.1).

        Raises
        ------
        ValueError
            If the image has no position, orientation or spacing.
        """
        info = self.info
        if info.position is None or info.spacing is None or self.orientation is None:
            raise ValueError("an image has no position, orientation or spacing")
        along_row, along_column = np.reshape(self.orientation, (2, 3))
        axes = np.stack([along_row, along_column, np.cross(along_row, along_column)])
        pixel = np.array([info.spacing.column_mm, info.spacing.row_mm, 1.0])
        found: Vector = (points - np.array(info.position)) @ axes.T / pixel
        return found

    @property
    def placed(self) -> bool:
        """Whether points in mm can be found on it."""
        return None not in (self.info.position, self.info.spacing, self.orientation)


class Images:
    """Looks images up by file, by UID and by position; keeps what is drawn on each.

    Parameters
    ----------
    images : iterable of Image
        Of which no two are the same frame.
    """

    def __init__(self, images: Iterable[Image]) -> None:
        self.series: dict[str, list[Image]] = defaultdict(list)
        self.drawn: dict[Key, list[Drawn]] = defaultdict(list)
        self._instances: dict[str, list[Image]] = defaultdict(list)
        self._files: dict[Path, list[Image]] = defaultdict(list)
        for image in images:
            self.series[image.info.series_uid].append(image)
            self._instances[image.info.sop_instance_uid].append(image)
            self._files[image.file.path].append(image)

    def of_uid(self, uid: str) -> list[Image]:
        """Return the images of an instance or of a series."""
        return self._instances.get(uid) or self.series.get(uid, [])

    def of_path(self, path: Path) -> list[Image]:
        """Return the images of a file."""
        return self._files.get(path, [])

    def single(self, sop_instance_uids: Iterable[str]) -> Image | None:
        """Return the only image of some instances; None where there is none, or several."""
        found = [image for uid in sop_instance_uids for image in self._instances.get(uid, [])]
        return found[0] if len(found) == 1 else None

    def in_plane(self, series_uid: str | None, points: Vector) -> Image | None:
        """Return the image of a series in whose plane all points (n, 3) lie; None where there is none."""
        for image in self.series.get(series_uid or "", []):
            if image.placed and np.abs(image.pixels_of(points)[:, 2]).max() <= SAME_PLANE_MM:
                return image
        return None

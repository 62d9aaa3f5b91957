"""People without labels, whom labels of the query's volume are carried to: who they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmark.region.volumes import Scan
from hmar.errors import ParameterError
from hmar.training.carrying.anatomy import CARRIED
from hmar.training.carrying.carry import LEAST_ATLAS_MM
from hmar.training.data.dicom_series import LEAST_SLICES
from hmar.training.data.volumes import Volume


def without_labels(volumes: Sequence[Volume], scans: Sequence[Scan]) -> list[Volume]:
    """Return the CT series among volumes, without what anybody has labelled on them.

    Parameters
    ----------
    volumes : sequence of Volume
    scans : sequence of Scan
        What is measured.

    Raises
    ------
    ParameterError
        If one of the volumes is measured, too.
    """
    found = [volume for volume in volumes if volume.modality == "CT" and len(volume.values) >= LEAST_SLICES]
    for scan in scans:
        if any(np.array_equal(volume.values, scan.values) for volume in found):
            raise ParameterError(
                f"One of the volumes without labels is {scan.name}, which is measured.",
                "Take it out of the folders of --unlabelled.",
            )
    return [replace(volume, labels=None, image_labels=None) for volume in found]


def check_carrying(scans: Sequence[Scan], others: Sequence[Volume]) -> None:
    """Raise ParameterError for what could not be carried, before anything is trained for hours.

    Parameters
    ----------
    scans : sequence of Scan
        Volumes whose labels are to be carried.
    others : sequence of Volume
        As :func:`without_labels` returns them.
    """
    if not others:
        raise ParameterError(
            "There is nobody to carry labels to.",
            f"Give --unlabelled and a folder of CT series of {LEAST_SLICES} slices or more.",
        )
    shown = {scan.name: scan.shown() & set(CARRIED) for scan in scans}
    unfit = [scan.name for scan in scans if not _can_be_carried_from(scan, scans, shown)]
    if unfit:
        raise ParameterError(
            f"Labels cannot be carried from {', '.join(unfit)}: that takes {LEAST_ATLAS_MM:g} mm of a body, "
            "and organs or large bones that the others show, too.",
            "Name the other volumes with --between.",
        )


def _can_be_carried_from(scan: Scan, scans: Sequence[Scan], shown: Mapping[str, set[str]]) -> bool:
    """Whether a volume is long enough, and shares what is carried with all others that it is asked in.

    ``shown`` are the structures to carry that each volume shows.
    """
    partners = [other for other in scans if other.person != scan.person]
    long_enough = len(scan.values) * scan.spacing_mm[0] >= LEAST_ATLAS_MM
    return long_enough and all(shown[scan.name] & shown[other.name] for other in partners)

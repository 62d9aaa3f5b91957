"""The answer to a search as a structured report: TID 1500 (PS3.16) in a Comprehensive SR."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from hmar.reporting.contents import Contents, Found, Image
from hmar.reporting.equipment import (
    BITS,
    DISTANCE,
    NAME,
    SEARCHED,
    SIMILAR,
    coding_scheme,
    described,
    equipment,
    made_at,
)
from hmar.reporting.own_uids import OwnUids, device_uid
from hmar.values.geometry import Box

SERIES_NUMBER = 9801
Group = sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations


def structured_report(contents: Contents, evidence: list[Dataset], uids: OwnUids) -> Dataset:
    """Return a report: each region searched for and found as SCOORD on its image, hits with distances.

    Parameters
    ----------
    contents : Contents
    evidence : list of Dataset
        What is referred to; the first has patient and study, too.
    uids : OwnUids
    """
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=_observer(contents)),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=[*_searched(contents, uids), *_found(contents, uids)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    comment = sr.TextContentItem(
        codes.DCM.Comment, described(contents), relationship_type=sr.RelationshipTypeValues.CONTAINS
    )
    report[0].ContentSequence.append(comment)
    document = sr.ComprehensiveSR(
        evidence=evidence,
        content=report[0],
        series_instance_uid=uids.uid("sr", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uids.uid("sr"),
        instance_number=1,
        is_complete=True,
        is_final=False,
        is_verified=False,
        coding_schemes=[coding_scheme()],
        **equipment(contents),
    )
    # PS3.3 C.17.2.3: whatever the content refers to, other studies too; viewers refuse a reference without.
    if "PertinentOtherEvidenceSequence" in document:
        document.CurrentRequestedProcedureEvidenceSequence.extend(document.PertinentOtherEvidenceSequence)
        del document.PertinentOtherEvidenceSequence
    return made_at(document, contents)


def _observer(contents: Contents) -> sr.ObserverContext:
    return sr.ObserverContext(
        codes.DCM.Device,
        sr.DeviceObserverIdentifyingAttributes(
            uid=device_uid(contents),
            name=NAME,
            manufacturer_name=NAME,
            model_name=contents.model,
            serial_number=contents.model_fingerprint,
        ),
    )


def _algorithm(contents: Contents) -> sr.AlgorithmIdentification:
    """Return TID 4019: what found the hits, which the model's digest says exactly."""
    return sr.AlgorithmIdentification(
        NAME,
        contents.software,
        parameters=[
            f"model {contents.model}",
            f"model fingerprint {contents.model_fingerprint}",
            f"mode {contents.mode}",
            f"{contents.bits} bits",
        ],
    )


def _searched(contents: Contents, uids: OwnUids) -> Iterator[Group]:
    """Yield what was searched for: each region, or the whole image."""
    for number, region in enumerate(contents.regions, start=1):
        yield sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            sr.TrackingIdentifier(uids.uid("query", number), f"query region {number}"),
            referenced_region=_region(region, contents.query),
            finding_type=SEARCHED,
            algorithm_id=_algorithm(contents),
        )
    if not contents.regions:
        yield sr.MeasurementsAndQualitativeEvaluations(
            sr.TrackingIdentifier(uids.uid("query"), "query image"),
            finding_type=SEARCHED,
            algorithm_id=_algorithm(contents),
            source_images=[sr.SourceImageForMeasurementGroup(*_reference(contents.query))],
        )


def _found(contents: Contents, uids: OwnUids) -> Iterator[Group]:
    """Yield what was found: of each hit the place of each region, or the whole image."""
    for hit in contents.hits:
        for number, (box, distance) in enumerate(hit.regions, start=1):
            yield sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                _tracking(hit, number, uids),
                referenced_region=_region(box, hit.image),
                finding_type=SIMILAR,
                algorithm_id=_algorithm(contents),
                measurements=[sr.Measurement(DISTANCE, _decimal(distance), BITS)],
            )
        if not hit.regions:
            yield sr.MeasurementsAndQualitativeEvaluations(
                _tracking(hit, 0, uids),
                finding_type=SIMILAR,
                algorithm_id=_algorithm(contents),
                measurements=[sr.Measurement(DISTANCE, _decimal(hit.distance), BITS)],
                source_images=[sr.SourceImageForMeasurementGroup(*_reference(hit.image))],
            )


def _tracking(hit: Found, region: int, uids: OwnUids) -> sr.TrackingIdentifier:
    name = f"hit {hit.rank}" + (f", region {region}" if len(hit.regions) > 1 else "")
    return sr.TrackingIdentifier(uids.uid("hit", hit.rank, region), name)


def _decimal(distance: float) -> float:
    """Return a distance in as many digits as a decimal string holds (PS3.5 6.2, DS)."""
    return round(distance, 4)


def _region(box: Box, image: Image) -> sr.ImageRegion:
    """Return a rectangle as a closed polyline.

    A SCOORD has its origin at the upper left corner of the upper left pixel (PS3.3 C.18.6.1.1), as boxes do.
    """
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return sr.ImageRegion(
        sr.GraphicTypeValues.POLYLINE,
        np.array(corners, np.float32),
        sr.SourceImageForRegion(*_reference(image)),
    )


def _reference(image: Image) -> tuple[str, str, list[int] | None]:
    frames = None if image.frame_number is None else [image.frame_number]
    return image.sop_class_uid, image.sop_instance_uid, frames

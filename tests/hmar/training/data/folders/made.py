"""Small files of every kind that a folder may hold, and a reader of folders that decodes in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless

from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.training.data.folders.header import RT_STRUCTURE_SET, SEGMENTATION
from hmar.training.data.folders.load import FolderData, FolderReader
from hmar.training.data.folders.scan import Limits
from hmar.training.data.vocabulary import Vocabulary
from hmar.values.frames import ImageFile

ROWS, COLUMNS = 24, 32
SPACING = (2.0, 1.5)
"""Of rows and of columns, in mm."""
CORNER = (-20.0, -30.0)
BETWEEN = 5.0
PATIENT = "GEHEIM-4711"
ROOT = "1.2.826.0.1.3680043.8.498.7"
SECRET = bytes(32)


class InProcess:
    """Decodes in this process, for files that are made here."""

    def __init__(self, hasher: PatientHasher) -> None:
        self._decoder = ImageDecoder(1 << 24, hasher)

    def open(self, data: bytes, first_frame: bool = False) -> ImageFile:
        return self._decoder.open(data)


def sop_uid(series: int, number: int) -> str:
    return f"{ROOT}.{series}.{number}"


def series_uid(series: int) -> str:
    return f"{ROOT}.{series}"


def _file(sop_class: str, uid: str, syntax: str = ExplicitVRLittleEndian) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, uid
    meta.TransferSyntaxUID = syntax
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID = sop_class, uid
    return file


def ct_slice(
    path: Path,
    series: int,
    number: int,
    patient: str = PATIENT,
    hu: np.ndarray | float | None = None,
    study: str | None = None,
    **header: Any,
) -> None:
    """Write a CT slice, by default with its number as HU."""
    file = _file(CTImageStorage, sop_uid(series, number))
    file.SeriesInstanceUID, file.StudyInstanceUID = series_uid(series), study or f"{ROOT}.9{series}"
    file.PatientID, file.PatientName, file.Modality = patient, "Mustermann^Erika", "CT"
    file.ImagePositionPatient = [*CORNER, BETWEEN * number]
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.PixelSpacing, file.Rows, file.Columns = list(SPACING), ROWS, COLUMNS
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleIntercept, file.RescaleSlope, file.RescaleType = 0, 1, "HU"
    values = np.broadcast_to(np.asarray(float(number) if hu is None else hu), (ROWS, COLUMNS))
    file.PixelData = np.rint(values).astype("<i2").tobytes()
    for keyword, value in header.items():
        setattr(file, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)


def ct_series(folder: Path, series: int, slices: int = 8, **header: Any) -> None:
    """Write a CT series, from the head to the feet."""
    for number in reversed(range(slices)):
        ct_slice(folder / f"{slices - number:03}.dcm", series, number, **header)


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(
            made,
            keyword,
            Items(value) if isinstance(value, list) and isinstance(value[0], Dataset) else value,
        )
    return made


def in_mm(pixels: Sequence[Sequence[float]], z: float) -> list[float]:
    """Return corners (column, row) as ContourData."""
    return [
        value
        for column, row in pixels
        for value in (CORNER[0] + SPACING[1] * column, CORNER[1] + SPACING[0] * row, z)
    ]


def structure_set(
    path: Path,
    series: int,
    rois: dict[str, dict[int, list[Sequence[Sequence[float]]]]],
    *,
    named: bool = True,
    kinds: dict[str, str] | None = None,
    **header: Any,
) -> None:
    """Write contours, by structure and number of slice; ``named`` says of each which image it is on."""
    file = _file(RT_STRUCTURE_SET, f"{ROOT}.5.{series}")
    file.Modality, file.PatientID = "RTSTRUCT", PATIENT
    file.StructureSetROISequence = Items(
        [item(ROINumber=n, ROIName=name) for n, name in enumerate(rois, start=1)]
    )
    file.RTROIObservationsSequence = Items(
        [
            item(
                ObservationNumber=n,
                ReferencedROINumber=n,
                RTROIInterpretedType=(kinds or {}).get(name, "ORGAN"),
            )
            for n, name in enumerate(rois, start=1)
        ]
    )
    file.ROIContourSequence = Items(
        [
            item(
                ReferencedROINumber=n,
                ContourSequence=[
                    item(
                        ContourGeometricType="CLOSED_PLANAR",
                        NumberOfContourPoints=len(polygon),
                        ContourData=in_mm(polygon, BETWEEN * number),
                        **(
                            {"ContourImageSequence": [item(ReferencedSOPInstanceUID=sop_uid(series, number))]}
                            if named
                            else {}
                        ),
                    )
                    for number, polygons in slices.items()
                    for polygon in polygons
                ],
            )
            for n, slices in enumerate(rois.values(), start=1)
        ]
    )
    of_series = item(SeriesInstanceUID=series_uid(series))
    of_study = item(RTReferencedSeriesSequence=[of_series])
    file.ReferencedFrameOfReferenceSequence = Items([item(RTReferencedStudySequence=[of_study])])
    for keyword, value in header.items():
        setattr(file, keyword, value)
    file.save_as(path, enforce_file_format=True)


def segmentation(
    path: Path,
    series: int,
    frames: list[tuple[str, int, np.ndarray]],
    *,
    named: bool = True,
    fractional: bool = False,
    shift_mm: float = 0.0,
    compressed: bool = False,
) -> None:
    """Write segments: the name of each frame's, the number of its slice, and its mask."""
    file = _file(SEGMENTATION, f"{ROOT}.6.{series}", RLELossless if compressed else ExplicitVRLittleEndian)
    names = list(dict.fromkeys(name for name, _, _ in frames))
    rows, columns = frames[0][2].shape
    file.Modality, file.PatientID, file.Rows, file.Columns = "SEG", PATIENT, rows, columns
    file.NumberOfFrames, file.SamplesPerPixel, file.PhotometricInterpretation = len(frames), 1, "MONOCHROME2"
    file.SegmentationType = "FRACTIONAL" if fractional else "BINARY"
    file.BitsAllocated = file.BitsStored = 8 if fractional else 1
    file.HighBit, file.PixelRepresentation, file.MaximumFractionalValue = file.BitsStored - 1, 0, 200
    file.SegmentSequence = Items(
        [item(SegmentNumber=n, SegmentLabel=name) for n, name in enumerate(names, 1)]
    )
    file.ReferencedSeriesSequence = Items([item(SeriesInstanceUID=series_uid(series))])
    axial = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    file.SharedFunctionalGroupsSequence = Items([item(PlaneOrientationSequence=[axial])])
    groups = []
    for name, number, _ in frames:
        group = item(
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=names.index(name) + 1)],
            PlanePositionSequence=[
                item(ImagePositionPatient=[CORNER[0] + shift_mm, CORNER[1], BETWEEN * number])
            ],
        )
        if named:
            source = item(ReferencedSOPInstanceUID=sop_uid(series, number))
            group.DerivationImageSequence = Items([item(SourceImageSequence=[source])])
        groups.append(group)
    file.PerFrameFunctionalGroupsSequence = Items(groups)
    masks = np.stack([mask for _, _, mask in frames])
    stored = masks.astype(np.uint8) * 150 if fractional else np.packbits(masks, bitorder="little")
    data = stored.tobytes()
    file.PixelData = data + bytes(len(data) % 2)
    if compressed:
        file["PixelData"].is_undefined_length = True
        from pydicom.encaps import encapsulate

        file.PixelData = encapsulate([data])
    file.save_as(path, enforce_file_format=True)


def nifti(path: Path, values: np.ndarray, spacing: tuple[float, float, float] = (1.5, 2.0, 5.0)) -> None:
    """Write values (x, y, z), x towards the right, as NIfTI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, np.diag([*spacing, 1.0])), path)


def read(
    *folders: Path, learns_labels: bool = True, labels: Vocabulary | None = None
) -> tuple[FolderData, list[str]]:
    """Read folders; return what they gave, and the names of structures by number."""
    hasher, structures = PatientHasher(SECRET), Vocabulary()
    reader = FolderReader(
        InProcess(hasher),
        hasher,
        Limits(1 << 24, 1 << 24),
        structures,
        Vocabulary() if labels is None else labels,
        learns_labels,
    )
    return reader.read(folders, lambda *_: None), structures.names

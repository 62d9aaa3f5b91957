"""The table of properties. A new one is an entry here, a migration of the database and a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from hmar.properties.declaration import Property, declared
from hmar.properties.header_text import whole_years
from hmar.properties.kinds.choices import Choices
from hmar.properties.kinds.codes import Codes
from hmar.properties.kinds.days import Days
from hmar.properties.kinds.decimals import Decimals
from hmar.properties.kinds.labels import Labels
from hmar.properties.kinds.names import Names
from hmar.properties.kinds.whole_numbers import WholeNumbers
from hmar.properties.kinds.words import Words
from hmar.properties.kinds.yes_no import YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What can be shown of a frame and filtered by, None where it is unknown.

    Nothing in it may hold a patient's name, id or date of birth.
    """

    modality: str = declared(
        Codes(),
        plural="modalities",
        finds="this modality",
        example="CT",
        sources=("Modality",),
        unknown="OT",
    )
    body_part: str | None = declared(
        Codes(),
        plural="body_parts",
        finds="this body part",
        example="CHEST",
        sources=("BodyPartExamined",),
    )
    sex: str | None = declared(
        Choices("F", "M", "O"),  # PS3.3 C.7.1.1
        plural="sexes",
        finds="patients of this sex",
        example="F",
        sources=("PatientSex",),
    )
    age_years: int | None = declared(
        # Beyond 89 years, age singles people out (45 CFR 164.514(b)(2)(i)(C)).
        WholeNumbers("age", "years", greatest=90, number_of=whole_years),
        plural="ages",
        finds="patients of this age in years; 90 is 90 and above",
        example="40-60",
        sources=("PatientAge",),
        option="--age",
    )
    study_date: date | None = declared(
        Days("study date"),
        plural="study_dates",
        finds="studies of these days",
        example="2020-01-01..2021-12-31",
        sources=("StudyDate",),
        option="--date",
    )
    manufacturer: str | None = declared(
        Names(such_as="SIEMENS"),
        plural="manufacturers",
        finds="this manufacturer",
        example="SIEMENS",
        sources=("Manufacturer",),
    )
    label: str | None = declared(
        Labels(),
        plural="labels",
        finds="what was indexed under this label",
        example="proven nodules",
    )
    convolution_kernel: str | None = declared(
        Names(such_as="B30F", joined=True),
        plural="convolution_kernels",
        finds="this convolution kernel",
        example="B30F",
        sources=("CTReconstructionSequence.ConvolutionKernel", "ConvolutionKernel"),
    )
    slice_thickness_mm: float | None = declared(
        Decimals("slice thickness", "mm"),
        plural="slice_thicknesses",
        finds="slices of this thickness in mm",
        example="0.5-1.25",
        sources=("PixelMeasuresSequence.SliceThickness", "SliceThickness"),
        option="--slice-thickness",
    )
    contrast: bool | None = declared(
        # An element that is absent or empty does not say no: scanners and anonymisers leave it out, too.
        YesNo(),
        plural="contrasts",
        finds="images with contrast agent, or those without",
        example="yes",
        sources=("ContrastBolusUsageSequence.ContrastBolusAgentAdministered", "ContrastBolusAgent"),
    )
    view_position: str | None = declared(
        Codes(),
        plural="view_positions",
        finds="this view of a radiograph",
        example="AP",
        sources=("ViewPosition",),
    )
    laterality: str | None = declared(
        Choices("L", "R", "B", "U"),  # U: unpaired; PS3.3 C.7.6.16.2.8, C.8.11.2
        plural="lateralities",
        finds="this side: L, R, B for both or U for unpaired",
        example="L",
        sources=("FrameAnatomySequence.FrameLaterality", "ImageLaterality", "Laterality"),
    )
    series_description: str | None = declared(
        Words(),
        plural="series_descriptions",
        finds="descriptions that have these words",
        example="LUNG 1.25mm",
        sources=("SeriesDescription", "ProtocolName"),
    )


TABLE: Mapping[str, Property] = {item.name: Property.of(item) for item in fields(Properties)}
"""Every property by its name."""

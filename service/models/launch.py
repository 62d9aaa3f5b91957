"""Where the page is opened by a link of another program: UIDs, and nothing else of a patient."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, model_validator

from hmar.errors import ParameterError
from hmar.values.geometry import Box
from service.models.asked import Asked
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN, Collection
from service.models.regions import RegionsText, RegionText
from service.models.remedy import Remedy
from service.models.search_request import ImageQuery, RegionQuery
from service.models.whole_numbers import FrameNumber

_Uid = Annotated[
    str, Field(strict=True, pattern=UID_PATTERN), Remedy("Give one UID, and nothing else of a patient.")
]
_STUDY = "The study whose first series is opened."
_SERIES = "The series that is opened."
_INSTANCE = "The instance that is shown."
_REGION = "Drawn as a box to search for, in pixels of the frame."
_MAX_SEARCH = 1500
"""Characters. What a browser wanted before its login is kept in a cookie, which may have 4 KB."""
_DEGREES = "(90|180|270)"
_NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,20})?"


def _search(text: str) -> str:
    """Check a search by what the API takes; the page sends it as it is."""
    if '"region' in text:
        RegionQuery.model_validate_json(text)
    else:
        ImageQuery.model_validate_json(text)
    return text


_SearchText = Annotated[
    str,
    Field(
        strict=True,
        max_length=_MAX_SEARCH,
        description="Searched for when the page opens: the JSON of a request to /api/v1/search/image or, "
        "with region or regions, to /api/v1/search/region.",
    ),
    AfterValidator(_search),
    Remedy("Give the JSON of a search by an indexed frame."),
]
_WindowText = Annotated[
    str,
    Field(
        strict=True,
        pattern=rf"^{_NUMBER},{_NUMBER},(HU|modality|presentation|percentiles)$",
        description="The display window: centre, width and units; or from one percentile of the values of "
        "the image that is shown to another.",
        examples=["-600,1500,HU", "1,99,percentiles"],
    ),
    Remedy("Give centre,width,units, such as -600,1500,HU."),
]

_ViewText = Annotated[
    str,
    Field(
        strict=True,
        pattern=rf"^(invert(,flip)?(,{_DEGREES})?|flip(,{_DEGREES})?|{_DEGREES})$",
        description="How the picture is turned: invert, flip, and the degrees clockwise, those that hold, in "
        "this order, with commas between.",
        examples=["invert,90"],
    ),
    Remedy("Give those of invert, flip, and 90, 180 or 270 that hold, in this order."),
]


class PageQuery(Asked):
    """What the page opens at; nothing where nothing is named."""

    study: LeftOut[_Uid] = Field(default=None, description=_STUDY)
    series: LeftOut[_Uid] = Field(default=None, description=_SERIES)
    instance: LeftOut[_Uid] = Field(default=None, description=_INSTANCE)
    frame: LeftOut[FrameNumber] = None
    region: LeftOut[RegionText] = Field(default=None, description=_REGION)
    regions: LeftOut[RegionsText] = None
    collection: LeftOut[Collection] = Field(default=None, description="The collection that holds the series.")
    window: LeftOut[_WindowText] = None
    view: LeftOut[_ViewText] = None
    search: LeftOut[_SearchText] = Field(default=None, repr=False)
    query_collection: LeftOut[Collection] = Field(
        default=None, description="The collection that holds the image searched with."
    )
    beside: LeftOut[_Uid] = Field(default=None, description="The instance that is shown beside it.")
    beside_frame: LeftOut[FrameNumber] = None
    beside_collection: LeftOut[Collection] = Field(
        default=None, description="The collection that holds what is shown beside it."
    )

    def text(self) -> str:
        """Return the same as the query of an address, empty for nothing."""
        said = self.model_dump(exclude_none=True)
        if self.region is not None:
            said["region"] = _box_text(self.region)
        if self.regions is not None:
            said["regions"] = ";".join(map(_box_text, self.regions))
        return urlencode(said)


def _box_text(box: Box) -> str:
    return ",".join(f"{value:.10g}" for value in box)


class DisplayQuery(Asked):
    """An invocation of image display (IHE RAD TF-2: 4.106) of one study, and what of it is shown.

    Fields that name patients are known to be refused, and no error repeats them.
    """

    requestType: str = Field(default="STUDY", description="STUDY; by patient nothing is opened.")  # noqa: N815
    studyUID: LeftOut[_Uid] = Field(default=None, description=_STUDY)  # noqa: N815
    seriesUID: LeftOut[_Uid] = Field(default=None, description=_SERIES)  # noqa: N815
    instanceUID: LeftOut[_Uid] = Field(default=None, description=_INSTANCE)  # noqa: N815
    frame: LeftOut[FrameNumber] = None
    region: LeftOut[RegionText] = Field(default=None, description=_REGION)
    viewerType: str = Field(default="", description="Makes no difference.")  # noqa: N815
    diagnosticQuality: str = Field(default="", description="Makes no difference.")  # noqa: N815
    keyImagesOnly: str = Field(default="", description="Makes no difference.")  # noqa: N815
    patientID: LeftOut[str] = Field(default=None, repr=False, description="Refused.")  # noqa: N815
    patientName: LeftOut[str] = Field(default=None, repr=False, description="Refused.")  # noqa: N815
    patientBirthDate: LeftOut[str] = Field(default=None, repr=False, description="Refused.")  # noqa: N815
    accessionNumber: LeftOut[str] = Field(default=None, repr=False, description="Refused.")  # noqa: N815

    @model_validator(mode="before")
    @classmethod
    def _check_no_patient(cls, fields: Any) -> Any:
        given = fields if isinstance(fields, dict) else {}
        for name in ("patientID", "patientName", "patientBirthDate", "accessionNumber"):
            if name in given:
                raise ParameterError(
                    f"{name} is given; the archive knows neither patients' names nor their ids.",
                    "Ask by studyUID: what names a patient does not belong in an address.",
                )
        if given.get("requestType", "STUDY") != "STUDY":
            raise ParameterError("requestType is not STUDY.", "Ask by requestType=STUDY and studyUID.")
        if not given.get("studyUID"):
            raise ParameterError("studyUID is missing.", "Give the UID of one study.")
        return fields

    def page(self) -> PageQuery:
        """Return what the page opens at."""
        return PageQuery.model_construct(
            study=self.studyUID,
            series=self.seriesUID,
            instance=self.instanceUID,
            frame=self.frame,
            region=self.region,
        )

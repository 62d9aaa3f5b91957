"""The images of the query's study that a search is about, as a key object selection (PS3.3 A.35.4)."""

from __future__ import annotations

from highdicom import ko
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from hmar.reporting.contents import Contents
from hmar.reporting.equipment import described, equipment, made_at
from hmar.reporting.own_uids import OwnUids

SERIES_NUMBER = 9802


def key_objects(contents: Contents, source: Dataset, evidence: list[Dataset], uids: OwnUids) -> Dataset:
    """Return the query's image and the hits of the same study, marked as of interest.

    A selection belongs to one study (PS3.3 C.17.6.2.1): hits of others are in the report alone.
    """
    own = [item for item in evidence if item.StudyInstanceUID == source.StudyInstanceUID]
    content = ko.KeyObjectSelection(
        document_title=codes.DCM.OfInterest, referenced_objects=own, description=described(contents)
    )
    document = ko.KeyObjectSelectionDocument(
        evidence=own,
        content=content,
        series_instance_uid=uids.uid("kos", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uids.uid("kos"),
        instance_number=1,
        **equipment(contents),
    )
    return made_at(document, contents)

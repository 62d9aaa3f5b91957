"""What made the documents, what it is for, and the codes that DICOM has none for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

from hmar.reporting.contents import Contents
from hmar.reporting.source import UTF8

NAME = "HMAR search"
SCHEME = "99HMAR"
STATEMENT = "For research use only; not a diagnosis. Found by a program and verified by nobody."
SERIES = "HMAR search, for research"

SEARCHED = CodedConcept("searched", SCHEME, "Searched for")
SIMILAR = CodedConcept("similar", SCHEME, "Found to be similar")
DISTANCE = CodedConcept("distance", SCHEME, "Hamming distance of codes")
BITS = CodedConcept("bit", "UCUM", "bit")


def coding_scheme() -> CodingSchemeIdentificationItem:
    """Return what says whose the codes are."""
    return CodingSchemeIdentificationItem(SCHEME, name="Codes of HMAR search", responsible_organization=NAME)


def equipment(contents: Contents) -> dict[str, Any]:
    """Return what every document says of its time and its maker, as highdicom takes it."""
    now = datetime.fromisoformat(contents.now)
    return {
        "manufacturer": NAME,
        "manufacturer_model_name": contents.model,
        "software_versions": contents.software,
        "device_serial_number": contents.model_fingerprint[:64],
        "series_description": SERIES,
        "content_date": now.date(),
        "content_time": now.time(),
        "specific_character_set": UTF8,
    }


def made_at(document: Dataset, contents: Contents) -> Dataset:
    """Give a document the time of the export, in place of the clock's, and return it."""
    now = datetime.fromisoformat(contents.now)
    document.InstanceCreationDate, document.InstanceCreationTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
    for library in document.ContributingEquipmentSequence:
        library.ContributionDateTime = f"{now:%Y%m%d%H%M%S}"
    return document


def described(contents: Contents) -> str:
    """Return in words what was searched for and what is told."""
    what = f"{len(contents.regions)} region(s)" if contents.regions else "the whole image"
    left = f"; {contents.left_out} more are not told here" if contents.left_out else ""
    missed = " The search was fast: a nearer image may be missing." if contents.search == "fast" else ""
    told = f"Searched for {what} by mode {contents.mode}: {len(contents.hits)} hit(s){left}."
    return f"{STATEMENT} {told}{missed}"

"""What a DICOM instance says that it is, and whether it can be indexed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identified:
    """What is looked at of an instance before it is taken. A UID is empty where there is none that is one.

    Parameters
    ----------
    study_uid, sop_instance_uid, sop_class_uid : str
    has_pixels : bool
        Whether it is an image.
    decodable : bool
        Whether its transfer syntax is one that is decoded.
    fault : str or None
        Why it cannot be indexed, as far as its header tells.
    """

    study_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    has_pixels: bool
    decodable: bool
    fault: str | None

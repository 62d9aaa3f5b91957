"""Which instances are pictures of a patient, by their SOP class."""

from __future__ import annotations

NO_IMAGES = (
    "1.2.840.10008.5.1.4.1.1.11.",
    "1.2.840.10008.5.1.4.1.1.66",
    "1.2.840.10008.5.1.4.1.1.88.",
    "1.2.840.10008.5.1.4.1.1.9.",
    "1.2.840.10008.5.1.4.1.1.104.",
    "1.2.840.10008.5.1.4.1.1.481.3",
    "1.2.840.10008.5.1.4.1.1.481.5",
)
"""Beginnings of SOP classes that are no pictures of a patient, and are not fetched.

Presentation states, registrations and segmentations, reports and key object selections, waveforms, documents,
structure sets, and plans (PS3.4 B.5).
"""


def is_picture(sop_class: str) -> bool:
    """Return whether instances of a class are fetched; those whose class is not told are."""
    return not sop_class.startswith(NO_IMAGES)

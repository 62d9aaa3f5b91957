"""A frame of a series, as answers name it that tell no more of it."""

from __future__ import annotations

from service.models.given import Given
from service.models.numbers import FromOne


class NamedFrame(Given):
    """A frame: its instance, and which frame and image of the series that is."""

    sop_instance_uid: str
    frame_number: FromOne
    instance_number: int | None

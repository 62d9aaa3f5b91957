"""References fitted to frames, each of which is looked at as the product looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hmar.encoder import HmarEncoder
from hmar.errors import HmarError
from hmar.image.raster import png, read_raster, render
from hmar.model.serving.references import References
from hmar.training.typicality.places import Place
from hmar.training.typicality.summaries import ENOUGH, Counted, Summaries
from hmar.values.frames import Frame, Units

LOOKING = "looking at frames for typicality"
"""What is said while it is done."""


@dataclass(frozen=True, slots=True)
class FittedReferences:
    """References, and what they were fitted to.

    Parameters
    ----------
    references : References
    fitted : mapping of str to Counted
        Of each kind.
    too_few : mapping of str to Counted
        Kinds of which there was too little.
    unread : int
        Frames that could not be read.
    """

    references: References
    fitted: Mapping[str, Counted]
    too_few: Mapping[str, Counted]
    unread: int = 0


def fit_references(
    encoder: HmarEncoder, places: Sequence[Place], progress: Callable[[int, int], None]
) -> FittedReferences:
    """Look at frames, and fit references to every kind of which there is enough.

    A frame in Hounsfield units is looked at a second time as the picture that a screen shows of it, for so
    it arrives where somebody saved it as PNG or JPEG.

    Parameters
    ----------
    encoder : HmarEncoder
    places : sequence of Place
        Frames that cannot be read are counted, and stop nothing.
    progress : callable
        Called with (done, total).
    """
    summaries, unread = Summaries(encoder.window_sides), 0
    for done, place in enumerate(places, start=1):
        try:
            frame = place.read()
        except (OSError, HmarError):
            unread += 1
        else:
            summaries.add(place.person, encoder.features(frame))
            if frame.units is Units.HU:
                summaries.add(place.person, encoder.features(picture_of(frame)))
        progress(done, len(places))
    return references_of(summaries, ENOUGH, unread)


def references_of(summaries: Summaries, least: Counted, unread: int = 0) -> FittedReferences:
    """Fit references to summaries, and say to how many of whom."""
    known, counted = summaries.fit(least), summaries.counted()
    return FittedReferences(
        References(known),
        {kind: count for kind, count in counted.items() if kind in known},
        {kind: count for kind, count in counted.items() if kind not in known},
        unread,
    )


def picture_of(frame: Frame) -> Frame:
    """Return a frame as a PNG of what a screen shows of it is decoded: without units, spacing and tags."""
    return read_raster(png(render(frame)), frame.values.size).frame(1)

"""What was seen of people and of images that show nobody, by the way in which they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmark.lesions.people import Half
from benchmark.types import Progress
from benchmark.typicality.arriving import as_picture, as_slice, within
from benchmark.typicality.images import OddImage
from benchmark.typicality.looking import Look, look, look_within
from benchmark.typicality.people import PersonFrame
from hmar.model.serving.model import ServedModel
from hmar.model.serving.references import kind_of
from hmar.values.frames import Frame

WITHIN = 4
"""Images of each group that are put into the middle slice of each person reported, one at a time."""
WITHIN_SLICE = "within a slice"
_PICTURES = "as pictures"
_SEED = 11


@dataclass(frozen=True, slots=True, eq=False)
class PersonLook:
    """What was seen of one frame of one person.

    Parameters
    ----------
    person : str
    half : str
    seen : Look
    known : mapping of str to str
        What its header says of how it was made.
    """

    person: str
    half: Half
    seen: Look
    known: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class OddLook:
    """What was seen of an image that shows nobody.

    Parameters
    ----------
    kind : str
        Kind of noise or of text, or the group.
    unit : str
        What is drawn for an interval: the photograph, the person whose slice shows the image, else the image.
    seen : Look
    """

    kind: str
    unit: str
    seen: Look


@dataclass(slots=True)
class Direction:
    """Frames that arrived in one way: slices of one modality, or the same as pictures.

    Parameters
    ----------
    name : str
    like : Frame
        One of them.
    people : list of PersonLook
    odd : list of OddLook
    """

    name: str
    like: Frame
    people: list[PersonLook] = field(default_factory=list)
    odd: list[OddLook] = field(default_factory=list)

    @property
    def pictures(self) -> bool:
        """Whether its frames are pictures."""
        return self.name.endswith(_PICTURES)

    @property
    def kind(self) -> str:
        """The kind of its frames, by which the product judges them."""
        return kind_of(self.like.units, self.like.info.modality)


def gather_people(
    model: ServedModel, frames: Iterable[PersonFrame]
) -> tuple[dict[str, Direction], list[PersonFrame]]:
    """Look at people's frames as they are, and as pictures.

    Returns
    -------
    dict of str to Direction
        By name.
    list of PersonFrame
        The middle frame of each person reported.
    """
    directions: dict[str, Direction] = {}
    middle = []
    for one in frames:
        modality = one.frame.info.modality
        for name, frame in (
            (modality, one.frame),
            (f"{modality} {_PICTURES}", as_picture(one.frame)),
        ):
            direction = directions.setdefault(name, Direction(name, frame))
            direction.people.append(PersonLook(one.person, one.half, look(model, frame), _known(one.frame)))
        if one.middle and one.half == "report":
            middle.append(one)
    return directions, middle


def gather_odd(
    model: ServedModel,
    directions: Mapping[str, Direction],
    images: Sequence[OddImage],
    middle: Sequence[PersonFrame],
    progress: Progress,
) -> None:
    """Look at images that show nobody: as slices, as pictures, and within people's slices."""
    for done, image in enumerate(images, start=1):
        kind = image.group if image.group == "photographs" else image.kind
        unit = image.kind if image.group == "photographs" else f"image {done}"
        seen = look(model, as_picture(image.values))
        for direction in directions.values():
            own = seen if direction.pictures else look(model, as_slice(image.values, direction.like))
            direction.odd.append(OddLook(kind, unit, own))
        progress("images that show nobody", done, len(images))
    random = np.random.default_rng(_SEED)
    groups = sorted({image.group for image in images})
    for done, one in enumerate(middle, start=1):
        for group in groups:
            own_group = [image for image in images if image.group == group]
            for number in random.permutation(len(own_group))[:WITHIN].tolist():
                frame, patch = within(own_group[number].values, one.frame)
                small, whole = look_within(model, frame, patch)
                odd = directions[one.frame.info.modality].odd
                odd.append(OddLook(f"{group} {WITHIN_SLICE}", one.person, small))
                odd.append(OddLook(f"{group} {WITHIN_SLICE}, its box", one.person, whole))
        progress("images within slices", done, len(middle))


def _known(frame: Frame) -> dict[str, str]:
    info = frame.info
    contrast = {None: "unknown", True: "yes", False: "no"}[info.contrast]
    return {
        "kernel": info.convolution_kernel or "unknown",
        "manufacturer": info.manufacturer or "unknown",
        "contrast": contrast,
    }

"""Images to volumes: series that form one, and single images of which something is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.errors import DecodeError
from hmar.model.tags import region_index
from hmar.training.data.dicom_series import (
    from_feet_to_head,
    is_placed,
    series_volume,
    single_volume,
    why_no_volume,
    why_not_stacked,
)
from hmar.training.data.folders.drawn import label_planes
from hmar.training.data.folders.images import Image, Images, Key
from hmar.training.data.folders.left_out import LeftOut
from hmar.training.data.folders.people import People
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.data.vocabulary import Vocabulary
from hmar.training.data.volumes import Volume, regions_from_structures
from hmar.values.frames import Frame

_UNREADABLE = "their pixels cannot be decoded"

Made = tuple[Volume, list[Image]]
"""A volume, and the images that it was made of."""


@dataclass(frozen=True, slots=True)
class Stacker:
    """Makes volumes of images.

    Parameters
    ----------
    images : Images
    labels : mapping of Key to str
        Labels of whole images.
    read : callable
        Decodes images, in their order; raises DecodeError.
    people : People
    structures, names : Vocabulary
        Of structures, and of labels of images.
    left_out : LeftOut
    """

    images: Images
    labels: Mapping[Key, str]
    read: Callable[[Sequence[Image]], list[Frame]]
    people: People
    structures: Vocabulary
    names: Vocabulary
    left_out: LeftOut

    def volumes(self, series: list[Image]) -> list[Made]:
        """Return the volume of a series, and singly those of its other images of which something is known."""
        made, reason = self._stack(series)
        taken = {image.key for _, stacked in made for image in stacked}
        known = [image for image in series if image.key not in taken and self._is_known(image)]
        if not made and not known:
            self.left_out.add("series", f"{reason}, and without label, box or mask")
        for image in known:
            try:
                made.append((self._single(image), [image]))
            except DecodeError:
                self.left_out.add("images", _UNREADABLE)
        return made

    def _is_known(self, image: Image) -> bool:
        return bool(self.images.drawn.get(image.key)) or image.key in self.labels

    def _stack(self, series: list[Image]) -> tuple[list[Made], str]:
        """Return the volume of a series and "", or none and the reason why."""
        placed = from_feet_to_head(
            (image for image in series if is_placed(image.info)), lambda image: image.info
        )
        reason = why_no_volume(series[0].info.modality, [image.info for image in placed])
        if reason is not None:
            return [], reason
        try:
            frames = self.read(placed)
        except DecodeError:
            return [], _UNREADABLE
        reason = why_not_stacked(frames)
        if reason is not None:
            return [], reason
        labels = self._planes(placed)
        of_images = np.array([self._label(image) for image in placed])
        volume = series_volume(
            f"series of {placed[0].info.modality}",
            frames,
            self._regions(placed[0].info.body_part, len(placed), labels),
            labels=labels,
            image_labels=of_images if (of_images != NO_LABEL).any() else None,
            patient=self.people.of_image(placed[0]),
        )
        return [(volume, placed)], ""

    def _single(self, image: Image) -> Volume:
        (frame,) = self.read([image])
        labels = self._planes([image])
        label = self._label(image)
        return single_volume(
            f"image of {image.info.modality}",
            frame,
            int(self._regions(image.info.body_part, 1, labels)[0]),
            labels=None if labels is None else labels[0],
            image_label=None if label == NO_LABEL else label,
            patient=self.people.of_image(image),
        )

    def _planes(self, images: Sequence[Image]) -> NDArray[np.int16] | None:
        """Return what is drawn on images of one size, None where nothing is."""
        drawn = [self.images.drawn.get(image.key, []) for image in images]
        return label_planes(drawn, images[0].shape, self.structures)

    def _label(self, image: Image) -> int:
        label = self.labels.get(image.key)
        return NO_LABEL if label is None else self.names.number(label)

    def _regions(
        self, body_part: str | None, slices: int, labels: NDArray[np.int16] | None
    ) -> NDArray[np.int64]:
        """Return the body region of slices, by the header, else by what is drawn."""
        region = region_index(body_part)
        if region is None and labels is not None:
            return regions_from_structures(labels, dict(enumerate(self.structures.names)))
        return np.full(slices, -1 if region is None else region, np.int64)

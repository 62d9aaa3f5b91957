"""Everything that was found besides images, brought to the images that it is about."""

from __future__ import annotations

from collections.abc import Callable

from hmar.errors import DecodeError
from hmar.label_table import LabelRow
from hmar.training.data.folders.drawn import ellipse
from hmar.training.data.folders.images import Image, Images, SourceFile
from hmar.training.data.folders.masks import draw_mask, image_of_mask
from hmar.training.data.folders.rtstruct import draw_contours
from hmar.training.data.folders.scan import Found
from hmar.training.data.folders.segmentation import draw_segments
from hmar.values.frames import Frame

Used = list[tuple[SourceFile, Image]]
"""Files with drawings, and an image that each was drawn on."""


def draw_all(found: Found, images: Images, read_mask: Callable[[SourceFile], Frame]) -> Used:
    """Draw contours, segmentations, masks and boxes on images; return the files that were used.

    Parameters
    ----------
    found : Found
        What cannot be drawn is counted in its ``left_out``.
    images : Images
    read_mask : callable
        Decodes a PNG mask; raises DecodeError.
    """
    used: Used = []
    left_out = found.left_out
    for file, contours in found.contours:
        drawn = draw_contours(contours, images)
        left_out.add("contours", "their images are not there", len(contours) - drawn)
        uids = [uid for contour in contours for uid in (*contour.instances, contour.series or "")]
        used += _used(file, uids, images) if drawn else []
    for file, frames in found.segments:
        fitting, others = draw_segments(frames, images)
        left_out.add("frames of segmentations", "on another grid than their images", others)
        left_out.add("frames of segmentations", "their images are not there", len(frames) - fitting - others)
        uids = [uid for frame in frames for uid in (*frame.instances, frame.series or "")]
        used += _used(file, uids, images) if fitting else []
    for file in found.masks:
        image = image_of_mask(file.path, images)
        if image is None:
            left_out.add("masks", "no image of this name lies beside them")
            continue
        try:
            mask = read_mask(file)
        except DecodeError:
            left_out.add("masks", "damaged, or in a form that is not understood")
            continue
        if draw_mask(mask, image, found.tables.names_of(file.path.parent), images):
            used.append((file, image))
        else:
            left_out.add("masks", "not of the size of their image")
    _draw_boxes(found, images)
    return used


def image_labels(found: Found, images: Images) -> dict[tuple[str, int], str]:
    """Return the labels of images, by their keys: of a file, an instance or a whole series.

    Of two rows on one image the first counts.
    """
    labels: dict[tuple[str, int], str] = {}
    for row in found.tables.labels:
        if row.label is None:
            continue
        named = images_of_row(row, images)
        if not named:
            found.left_out.add("rows of tables", "their image is not there")
        for image in named:
            if labels.setdefault(image.key, row.label) != row.label:
                found.left_out.add("rows of tables", "another label than that of a row before")
    return labels


def images_of_row(row: LabelRow, images: Images) -> list[Image]:
    """Return the images that a row names: by UID, else by path."""
    for uid in row.uids:
        if named := images.of_uid(uid):
            return named
    return [] if row.path is None else images.of_path(row.path)


def _draw_boxes(found: Found, images: Images) -> None:
    for box in found.tables.boxes:
        named = images_of_row(box.row, images)
        if len(named) != 1:
            found.left_out.add("rows of tables", "their image is not there")
            continue
        drawn = ellipse(box.structure, box.sides, named[0].shape)
        if drawn is None:
            found.left_out.add("rows of tables", "a box outside its image")
        else:
            images.drawn[named[0].key].append(drawn)


def _used(file: SourceFile, uids: list[str], images: Images) -> Used:
    """Return a file with the first image that one of some UIDs names."""
    named = (image for uid in uids for image in images.of_uid(uid)[:1])
    return [(file, image) for image in [next(named, None)] if image is not None]

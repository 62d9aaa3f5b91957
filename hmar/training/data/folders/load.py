"""Folders to volumes: the readers of all kinds of files, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError
from hmar.training.data.folders import nifti
from hmar.training.data.folders.drawings import draw_all, image_labels
from hmar.training.data.folders.images import Image, Images, SourceFile
from hmar.training.data.folders.left_out import LeftOut
from hmar.training.data.folders.manifest import Manifest
from hmar.training.data.folders.people import People
from hmar.training.data.folders.scan import Decoder, Found, Limits, read_file, scan, source_file
from hmar.training.data.folders.stacks import Stacker
from hmar.training.data.vocabulary import Vocabulary
from hmar.training.data.volumes import Volume
from hmar.values.frames import Frame, ImageFile

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FolderData:
    """What folders gave.

    Parameters
    ----------
    volumes : list of Volume
    left_out : LeftOut
        What was not used, and why.
    manifest : Manifest
        Every file that was used.
    """

    volumes: list[Volume]
    left_out: LeftOut
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class FolderReader:
    """Reads folders.

    Parameters
    ----------
    decoder : Decoder
        Opens DICOM files and pictures.
    hasher : PatientHasher
        With the secret of ``decoder``.
    limits : Limits
    structures, labels : Vocabulary
        Of structures and of labels of images; both grow.
    learns_labels : bool
        Whether labels of images are trained on.
    """

    decoder: Decoder
    hasher: PatientHasher
    limits: Limits
    structures: Vocabulary
    labels: Vocabulary
    learns_labels: bool = True

    def read(self, folders: Sequence[Path], progress: Progress) -> FolderData:
        """Read all that lies in folders.

        Bad files are counted and stop nothing.

        Raises
        ------
        NotFoundError
            If a folder is not there.
        """
        found = scan(
            folders, self.decoder, self.limits, lambda done, total: progress("looking at files", done, total)
        )
        people, manifest = People(found.tables, self.hasher, found.images), Manifest(tables=found.table_files)
        volumes = self._scans(found, people, manifest, progress)
        volumes += self._images(found, people, manifest, progress)
        named = [replace(volume, name=f"{volume.name} {n}") for n, volume in enumerate(volumes, start=1)]
        return FolderData(named, found.left_out, manifest)

    def _images(self, found: Found, people: People, manifest: Manifest, progress: Progress) -> list[Volume]:
        """Return the volumes of DICOM files and pictures."""
        images, opened = Images(found.images), _OpenedFiles(self.decoder, self.limits)
        drawn_from = draw_all(found, images, lambda file: opened.frame(file, 1))
        stacker = Stacker(
            images,
            self._known_labels(found, images),
            opened.frames,
            people,
            self.structures,
            self.labels,
            found.left_out,
        )
        volumes: list[Volume] = []
        taken: set[SourceFile] = set()
        for done, series in enumerate(images.series.values(), start=1):
            for volume, used in stacker.volumes(series):
                volumes.append(volume)
                for image in used:
                    taken.add(image.file)
                    self._note(image.file, image, people, manifest)
            progress("reading series", done, len(images.series))
        for file, image in drawn_from:
            if image.file in taken:
                self._note(file, image, people, manifest)
        return volumes

    def _known_labels(self, found: Found, images: Images) -> dict[tuple[str, int], str]:
        """Return the labels of images; none where they teach nothing, and images say so."""
        labels = image_labels(found, images)
        names = {*labels.values(), *self.labels.names}
        for name in sorted(names):
            self.labels.number(name)
        if self.learns_labels and len(names) > 1:
            return labels
        why = "all have the same label" if self.learns_labels else "these settings do not learn labels"
        found.left_out.add("labels of images", why, len(labels))
        return {}

    def _note(self, file: SourceFile, image: Image, people: People, manifest: Manifest) -> None:
        patient = people.of_image(image)
        collection = people.collection(image.file.path, patient, image.info.series_uid)
        manifest.add(file, collection, patient)

    def _scans(self, found: Found, people: People, manifest: Manifest, progress: Progress) -> list[Volume]:
        """Return the volumes of NIfTI files."""
        scans, alone = nifti.pair_up(found.nifti)
        found.left_out.add("masks", "no image of this name lies beside them", len(alone))
        volumes = []
        for done, one in enumerate(scans, start=1):
            patient = people.of_path(one.image)
            member = people.member(one.image, patient)
            modality = nifti.modality_of(one.image) or (None if member is None else member.modality)
            if modality is None:
                found.left_out.add("volumes", 'neither "ct" nor "mr" in the name of the file')
                continue
            try:
                names = found.tables.names_of(one.image.parent)
                kind = f"scan of {modality}"
                volume, unused = nifti.read_scan(one, kind, modality, names, self.structures, patient)
            except DecodeError as error:
                found.left_out.add("volumes", error.detail)
                continue
            volumes.append(volume)
            found.left_out.add("masks", "on another grid than their image, or without names", len(unused))
            masks = [mask.path for mask in one.masks if mask not in unused]
            for path in (one.image, *masks):
                manifest.add(source_file(path), None if member is None else member.collection, patient)
            progress("reading volumes", done, len(scans))
        return volumes


class _OpenedFiles:
    """Decodes frames of files that were found; keeps the file that was opened last."""

    def __init__(self, decoder: Decoder, limits: Limits) -> None:
        self._decoder, self._limits = decoder, limits
        self._last: tuple[SourceFile, ImageFile] | None = None

    def frames(self, images: Sequence[Image]) -> list[Frame]:
        return [replace(self.frame(image.file, image.info.frame_number), info=image.info) for image in images]

    def frame(self, file: SourceFile, number: int) -> Frame:
        if self._last is None or self._last[0] != file:
            try:
                data = read_file(file.path, self._limits)
            except OSError as error:
                raise DecodeError("The file is gone.", "Run the command again.") from error
            self._last = (file, self._decoder.open(data, first_frame=number == 1))
        return self._last[1].frame(number)

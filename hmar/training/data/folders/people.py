"""Who is on an image, and which collection it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hmar.dicom.deidentify import PatientHasher
from hmar.label_table import LabelRow
from hmar.training.data.folders.images import Image
from hmar.training.data.folders.tables import Collection, Member, Tables
from hmar.training.data.volumes import Volume


class People:
    """Tells patients apart by keyed hashes.

    Parameters
    ----------
    tables : Tables
    hasher : PatientHasher
        The one that made the keys of DICOM files.
    images : iterable of Image
        All of them: a table that names the patient of one image says who has that PatientID on the others.
    """

    def __init__(self, tables: Tables, hasher: PatientHasher, images: Iterable[Image]) -> None:
        self._hasher = hasher
        self._persons = {member.person: member for member in tables.members if member.person}
        self._keys = {self._key(person): member for person, member in self._persons.items()}
        self._series = {member.series_uid: member for member in tables.members if member.series_uid}
        self._of_path: dict[Path, str] = {}
        self._of_uid: dict[str, str] = {}
        for row in (*tables.labels, *(box.row for box in tables.boxes)):
            self._add(row)
        self._same = self._named_elsewhere(images)

    def of_image(self, image: Image) -> str:
        """Return the patient of an image.

        The one that a table names; else the header's PatientID; else a person of the tables whose name a
        folder has; else the study.
        """
        header, person = image.info.patient_key, self.person_of_path(image.file.path)
        return (
            self._named(image)
            or (self._same.get(header, header) if header else None)
            or (self._key(person) if person else image.info.study_uid)
        )

    def of_path(self, path: Path) -> str:
        """Return the patient of a file without header: as above, and at last its folder."""
        person = self.person_of_path(path)
        return self._of_path.get(path) or self._key(person or f"folder {path.parent}")

    def person_of_path(self, path: Path) -> str | None:
        """Return the person of the tables after whom one of a file's folders is called."""
        return next((part for part in reversed(path.parts[:-1]) if part in self._persons), None)

    def member(self, path: Path, patient: str, series_uid: str | None = None) -> Member | None:
        """Return the row on a series, else on its patient, else on a person after whom a folder is called."""
        person = self.person_of_path(path)
        found = self._series.get(series_uid or "") or self._keys.get(patient)
        return found or (self._persons[person] if person else None)

    def collection(self, path: Path, patient: str, series_uid: str | None = None) -> Collection | None:
        """Return the collection of a file; None where no table names one."""
        member = self.member(path, patient, series_uid)
        return None if member is None else member.collection

    def _named(self, image: Image) -> str | None:
        """Return the patient that a table names for an image; None where none does."""
        uids = (image.info.sop_instance_uid, image.info.series_uid)
        named = next((self._of_uid[uid] for uid in uids if uid in self._of_uid), None)
        return named or self._of_path.get(image.file.path)

    def _named_elsewhere(self, images: Iterable[Image]) -> dict[str, str]:
        """Return the patients that tables name, by the header's patient.

        A PatientID under which tables name several patients tells nobody apart, and is left out.
        """
        names: dict[str, set[str]] = defaultdict(set)
        for image in images:
            named = self._named(image)
            if named and image.info.patient_key:
                names[image.info.patient_key].add(named)
        return {header: named.pop() for header, named in names.items() if len(named) == 1}

    def _add(self, row: LabelRow) -> None:
        if row.patient is None:
            return
        key = self._key(row.patient, row.issuer)
        if row.patient in self._persons:
            self._keys.setdefault(key, self._persons[row.patient])
        if row.path is not None:
            self._of_path.setdefault(row.path, key)
        for uid in row.uids:
            self._of_uid.setdefault(uid, key)

    def _key(self, person: str, issuer: str = "") -> str:
        return self._hasher.key(person, issuer) or ""


def numbered(volumes: Sequence[Volume]) -> list[Volume]:
    """Return volumes whose patients are numbers, in the order in which they come; unknown ones stay unknown.

    Keys of patients depend on a secret. Numbers are the same in every run on the same files.
    """
    numbers: dict[str, str] = {}
    return [
        volume
        if volume.patient is None
        else replace(volume, patient=numbers.setdefault(volume.patient, f"patient {len(numbers) + 1:06}"))
        for volume in volumes
    ]

"""An Orthanc of a test: DICOMweb, and a feed of changes as Orthanc keeps it, with and without types."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.pacs import Pacs, held


class Change(NamedTuple):
    seq: int
    kind: str
    resource: str


def orthanc_id(uid: str) -> str:
    digest = hashlib.sha1(uid.encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


@dataclass
class StubOrthanc(Pacs):
    """Files that arrive and go; ``last`` counts every change there ever was."""

    changes: list[Change] = field(default_factory=list)
    last: int = 0
    extended: bool = False
    """Whether it can be asked for changes of one type."""
    tells_deletions: bool = False
    ignores_since: bool = False

    def arrive(self, *files: bytes) -> None:
        for data in files:
            file = held(data)
            new_series = all(file.series != other.series for other in self.files)
            self.files = [other for other in self.files if other.instance != file.instance] + [file]
            self._note("NewInstance", file.instance)
            if new_series:
                self._note("NewSeries", file.series)
        self._note("StableSeries", file.series)

    def delete_study(self, study_uid: str) -> None:
        """Take a study away with its rows of the feed, as Orthanc does."""
        gone = [file for file in self.files if file.study == study_uid]
        self.files = [file for file in self.files if file.study != study_uid]
        ids = {orthanc_id(uid) for file in gone for uid in file[:3]}
        self.changes = [change for change in self.changes if change.resource not in ids]
        self.last += 1
        if self.tells_deletions:
            self._note("Deleted", study_uid)

    def reset(self) -> None:
        """Begin with an empty database."""
        self.files, self.changes, self.last = [], [], 0

    def _note(self, kind: str, uid: str) -> None:
        self.last += 1
        self.changes.append(Change(self.last, kind, orthanc_id(uid)))

    def rest(self, path: list[str], query: dict[str, str]) -> bytes | None:
        told = self._told(path, query)
        return told.encode() if isinstance(told, str) else None if told is None else json.dumps(told).encode()

    def _told(self, path: list[str], query: dict[str, str]) -> Any:
        if path == ["changes"]:
            return self._changes(query)
        if path == ["system"]:
            more = {"Capabilities": {"HasExtendedChanges": True}} if self.extended else {}
            return {"Version": "1.12.5" if self.extended else "1.10.1", **more}
        level, resource, *rest = path
        of = {"instances": "instance", "series": "series", "studies": "study"}[level]
        file = next((one for one in self.files if orthanc_id(getattr(one, of)) == resource), None)
        if file is None:
            return None
        if rest:
            return file.sop_class
        return {
            "instances": {
                "ParentSeries": orthanc_id(file.series),
                "MainDicomTags": {"SOPInstanceUID": file.instance},
            },
            "series": {
                "ParentStudy": orthanc_id(file.study),
                "MainDicomTags": {"SeriesInstanceUID": file.series, "Modality": file.modality},
            },
            "studies": {
                "MainDicomTags": {"StudyInstanceUID": file.study, "StudyDate": file.study_date},
            },
        }[level]

    def _changes(self, query: dict[str, str]) -> Any:
        if "last" in query:
            found, done = self.changes[-1:], True
        else:
            kinds = set(query["type"].split(";")) if self.extended and "type" in query else None
            later = [
                change
                for change in self.changes
                if (self.ignores_since or change.seq > int(query["since"]))
                and (kinds is None or change.kind in kinds)
            ]
            found = later[: int(query["limit"])]
            done = len(found) == len(later)
        rows = [{"Seq": seq, "ChangeType": kind, "ID": resource} for seq, kind, resource in found]
        return {"Changes": rows, "Done": done, "Last": found[-1].seq if found else self.last}

"""The list of all files that were trained on, by collection, with their digests and terms.

It names no file, for folders are often called after patients.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field

from hmar.training.data.folders.images import SourceFile
from hmar.training.data.folders.tables import Collection

MANIFEST = "data.json"
"""Its name in a model's folder."""

UNNAMED = Collection("not named")
"""Stands for files that no table names a collection for."""


@dataclass(slots=True)
class Manifest:
    """Collects files as they are used.

    Parameters
    ----------
    files : dict of Collection to set of SourceFile
    people : dict of Collection to set of str
        Keys of patients; only their number leaves this object.
    tables : list of SourceFile
        Tables that say something of the others.
    """

    files: dict[Collection, set[SourceFile]] = field(default_factory=lambda: defaultdict(set))
    people: dict[Collection, set[str]] = field(default_factory=lambda: defaultdict(set))
    tables: list[SourceFile] = field(default_factory=list)

    def add(self, file: SourceFile, collection: Collection | None, patient: str) -> None:
        """Note that a file is used."""
        self.files[collection or UNNAMED].add(file)
        self.people[collection or UNNAMED].add(patient)

    def to_json(self) -> bytes:
        """Return the manifest as a file: the same for the same files, wherever they lie."""
        collections = [
            {
                "collection": collection.name,
                "licence": collection.licence or None,
                "doi": collection.doi or None,
                "people": len(self.people[collection]),
                "files": _listed(self.files[collection]),
            }
            for collection in self._sorted()
        ]
        body = {"format": 1, "collections": collections, "tables": _listed(set(self.tables))}
        return json.dumps(body, indent=1).encode() + b"\n"

    def card(self) -> str:
        """Return what the model's card says of the files, in Markdown."""
        rows = ["| collection | people | files | licence | DOI |", "|---|---|---|---|---|"]
        for collection in self._sorted():
            cells = (
                collection.name,
                str(len(self.people[collection])),
                str(len(self.files[collection])),
                collection.licence or "unknown",
                collection.doi or "-",
            )
            rows.append(f"| {' | '.join(map(_cell, cells))} |")
        digest = hashlib.sha256(self.to_json()).hexdigest()
        listed = f"`{MANIFEST}` lists the SHA-256 and the size of each file; its own SHA-256 is {digest}."
        return "\n".join(["Files in folders:", "", *rows, "", listed, self._terms()])

    def _terms(self) -> str:
        unknown = sum(len(files) for collection, files in self.files.items() if not collection.licence)
        if unknown:
            return (
                f"**Not for distribution:** the licence of {unknown} of these files is unknown. "
                "Whoever passes this model on must first know on which terms its data may be used."
            )
        return "The licences are as the tables beside the data name them; nobody has checked them here."

    def _sorted(self) -> list[Collection]:
        return sorted(
            self.files, key=lambda collection: (collection == UNNAMED, collection.name, collection.doi)
        )


def _listed(files: set[SourceFile]) -> list[dict[str, object]]:
    pairs = sorted({(file.sha256, file.size) for file in files})
    return [{"sha256": sha256, "bytes": size} for sha256, size in pairs]


def _cell(text: str) -> str:
    """Return text that stays within its cell of a table."""
    return " ".join(text.replace("|", "/").split())

"""What a site says of its labels: a name, what else may look like it, and a note. Nothing of a patient."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hmar.errors import ConfigError, ParameterError, shown
from hmar.properties.kinds.labels import label_value
from hmar.values.plain import Json

LONGEST = 500
"""Characters of the longest text."""
MOST_DIFFERENTIALS = 12
MOST_BYTES = 1 << 20
_KEYS = ("name", "differential", "note")
_EXAMPLE = 'Write for each label: ["the label"], name = "...", differential = ["..."], note = "...".'


@dataclass(frozen=True, slots=True)
class LabelNote:
    """What a site says of one label.

    Parameters
    ----------
    label : str
        As images have it.
    name : str or None
        What it stands for.
    differential : tuple of str
        Other findings that look like it.
    note : str or None
        How to tell them apart, say.
    """

    label: str
    name: str | None = None
    differential: tuple[str, ...] = ()
    note: str | None = None

    def to_dict(self) -> Json:
        """Return the note as the API answers with it."""
        return {
            "label": self.label,
            "name": self.name,
            "differential": list(self.differential),
            "note": self.note,
        }


def read_label_notes(path: Path) -> list[LabelNote]:
    """Read a site's file of notes, in its order; there are none where there is no file.

    Raises
    ------
    ConfigError
        If it cannot be read, or something in it cannot be used; the error names the label and the key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"The file of labels, {path.name}, cannot be read.", "Check its rights.") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path.name} has more than {MOST_BYTES} bytes.", "Shorten its notes.")
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        # The parser's own text quotes a line and a column, and none of the file.
        raise ConfigError(f"{path.name}, the file of labels, is no TOML: {error}.", _EXAMPLE) from error
    except RecursionError as error:
        raise ConfigError(f"{path.name}, the file of labels, is nested too deeply.", _EXAMPLE) from error
    notes = {}
    for label, table in tables.items():
        note = _note(label, table)
        if note.label in notes:
            raise ConfigError(f"There are two notes for {shown(note.label)}.", "Leave one of them out.")
        notes[note.label] = note
    return list(notes.values())


def _note(label: str, table: object) -> LabelNote:
    try:
        label_value(label)
    except ParameterError as error:
        raise ConfigError(f"A note is for {shown(label)}, which is no label.", error.remedy) from error
    if not isinstance(table, dict):
        raise ConfigError(f"{shown(label)} is no table.", _EXAMPLE)
    if unknown := sorted(table.keys() - set(_KEYS)):
        raise ConfigError(f"{shown(label)} has {shown(unknown[0])}.", f"Known are {', '.join(_KEYS)}.")
    return LabelNote(
        label_value(label),
        name=_text(label, "name", table["name"]) if "name" in table else None,
        differential=_texts(label, table.get("differential", [])),
        note=_text(label, "note", table["note"]) if "note" in table else None,
    )


def _texts(label: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_DIFFERENTIALS:
        raise ConfigError(
            f"{shown(label)} has {shown(value)} as differential.",
            f"Give a list of at most {MOST_DIFFERENTIALS} texts.",
        )
    return tuple(_text(label, "differential", each) for each in value)


def _text(label: str, key: str, value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= LONGEST:
        raise ConfigError(
            f"{shown(label)} has {shown(value)} as {key}.", f"Give a text of 1 to {LONGEST} characters."
        )
    return text

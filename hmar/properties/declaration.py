"""What is declared of a property."""

from __future__ import annotations

from dataclasses import Field, dataclass, field
from typing import Any, TypeVar, overload

from hmar.properties.kinds.kind import Kind, Schema, Value, or_null

V = TypeVar("V", bound=Value)
C = TypeVar("C")


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """One property of a frame.

    Parameters
    ----------
    name : str
        Attribute of a frame, field of requests and answers, column of the database.
    kind : Kind
        How its values are read, kept, filtered and described.
    plural : str
        Column of the index, and array of its snapshots.
    finds : str
        What a filter on it finds, as the end of a sentence that begins with "Only".
    example : str
        What a filter may ask for, as it is typed on the command line.
    sources : tuple of str
        Where headers have it: keywords of elements, of which the first with a value is used. An element of a
        functional group of an enhanced image (PS3.3 C.7.6.16.2) has the group's keyword and a dot before it.
    option : str
        Option of ``hmar search``.
    shown : bool
        Whether answers show it.
    unknown : object
        The value where no header has one.
    """

    name: str
    kind: Kind[Any, Any]
    plural: str
    finds: str
    example: str
    sources: tuple[str, ...]
    option: str
    shown: bool
    unknown: Value | None

    @classmethod
    def of(cls, declaration: Field[Any]) -> Property:
        """Return what a field of the table declares."""
        told = dict(declaration.metadata)
        told["option"] = told["option"] or f"--{declaration.name.replace('_', '-')}"
        return cls(name=declaration.name, **told)

    @property
    def by_frame(self) -> bool:
        """Whether it may differ between the frames of an image."""
        return any("." in source for source in self.sources)

    def read(self, values: list[list[str]]) -> Value | None:
        """Return the value of the first element that has one; an element is given as its values' text."""
        found = (self.kind.read(texts) for texts in values)
        return next((value for value in found if value is not None), self.unknown)

    def to_json(self, value: Value | None) -> object:
        """Return a value as JSON has it."""
        return None if value is None else self.kind.to_json(value)

    def from_answer(self, told: object) -> Value | None:
        """Return the value that :meth:`to_json` wrote."""
        value: Value | None = None if told is None else self.kind.from_answer(told)
        return value

    def schema(self) -> Schema:
        """Describe it in an answer."""
        schema = self.kind.value_schema()
        return or_null(schema) if self.unknown is None else schema


@overload
def declared(
    kind: Kind[V, C],
    *,
    plural: str,
    finds: str,
    example: str,
    sources: tuple[str, ...] = (),
    option: str = "",
    shown: bool = True,
    unknown: None = None,
) -> V | None: ...


@overload
def declared(
    kind: Kind[V, C],
    *,
    plural: str,
    finds: str,
    example: str,
    sources: tuple[str, ...] = (),
    option: str = "",
    shown: bool = True,
    unknown: V,
) -> V: ...


def declared(
    kind: Kind[Any, Any],
    *,
    plural: str,
    finds: str,
    example: str,
    sources: tuple[str, ...] = (),
    option: str = "",
    shown: bool = True,
    unknown: Any = None,
) -> Any:
    """Return a field of the table; its annotation must be what the kind's values are.

    Parameters as for :class:`Property`. Without ``option`` the option is named like the field.
    """
    told = {
        "kind": kind,
        "plural": plural,
        "finds": finds,
        "example": example,
        "sources": sources,
        "option": option,
        "shown": shown,
        "unknown": unknown,
    }
    return field(default=unknown, metadata=told)

"""Values and conditions of every kind of property, so that tests hold for each property of the table."""

from __future__ import annotations

from datetime import date

from hmar.properties.declaration import Property
from hmar.properties.kinds.choices import Choices
from hmar.properties.kinds.codes import Codes
from hmar.properties.kinds.days import Days
from hmar.properties.kinds.decimals import Decimals
from hmar.properties.kinds.kind import Condition, Kind, Value
from hmar.properties.kinds.labels import Labels
from hmar.properties.kinds.names import Names
from hmar.properties.kinds.whole_numbers import WholeNumbers
from hmar.properties.kinds.words import Words
from hmar.properties.kinds.yes_no import YesNo
from hmar.properties.table import TABLE

VALUES: dict[type[Kind], tuple[Value, ...]] = {
    Codes: ("CT", "MR", "CHEST"),
    Names: ("GE MEDICAL SYSTEMS", "SIEMENS", "B30F"),
    Words: ("CHEST LUNG 1.25mm", "FLAIR SAG", "CHEST", f"{'PARACORONAL ' * 5}AXIS"),
    Labels: ("teaching set", "Teaching set", "x"),
    WholeNumbers: (51, 0, 39, 40, 60, 61, 90),
    Decimals: (2.5, 0.001, 0.7, 1.0, 1.001, 1000.0),
    Days: (
        date(2021, 3, 4),
        date.min,
        date(2019, 12, 31),
        date(2020, 1, 1),
        date(2021, 12, 31),
        date(2022, 1, 1),
    ),
    YesNo: (True, False),
}
BANDS: dict[type[Kind], tuple[Condition, ...]] = {
    WholeNumbers: ((40, 60), (0, 0), (0, 90), (41, 59), (0, 255)),
    Decimals: ((0.7, 1.0), (0.0, 0.7), (1.0, float("inf")), (0.70001, 0.9)),
    Days: (
        (date(2020, 1, 1), date(2021, 12, 31)),
        (date.min, date.max),
        (date(2020, 1, 2), date(2020, 1, 2)),
    ),
}


def samples(item: Property) -> tuple[Value, ...]:
    """Values of a property, which differ."""
    return item.kind.codes if isinstance(item.kind, Choices) else VALUES[type(item.kind)]


def conditions(item: Property) -> tuple[Condition, ...]:
    """Conditions on a property, some of which fit some of its samples."""
    if type(item.kind) in BANDS:
        return BANDS[type(item.kind)]
    if isinstance(item.kind, YesNo):
        return (True, False)
    first, second = samples(item)[:2]
    wanted = ({first}, {first, second}, {"elsewhere"}, {"elsewhere", second})
    return tuple(map(frozenset, wanted))


def fits(value: Value | None, condition: Condition) -> bool:
    """Whether a value fits a condition, by the condition's form alone."""
    if value is None:
        return False
    if isinstance(condition, frozenset):
        return value in condition
    if isinstance(condition, tuple):
        return condition[0] <= value <= condition[1]
    return value == condition


def unknown() -> dict[str, Value | None]:
    """The properties of a frame of which nothing is known."""
    return {item.name: item.unknown for item in TABLE.values()}

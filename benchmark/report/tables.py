"""Rows of results as tables of text, for the page and for Markdown alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.labels import (
    NOTHING,
    PROTOCOLS,
    Row,
    marked,
    number,
    protocol_of,
    row_mark,
    shown,
    shown_bits,
    shown_difference,
    shown_interval,
)

Write = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Parameters
    ----------
    title, note : str
        Above it.
    headings : tuple of str
    rows : tuple of tuple of str
        Not escaped.
    marks : tuple of str
        Mark of each row (:func:`benchmark.report.labels.row_mark`), empty for most; shown beside its first
        cell.
    """

    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows whose figures may be compared: of one data set, protocol and direction."""

    dataset: str
    protocol: str
    direction: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What the rows have in common, the protocol's mark included."""
        parts = [part for part in (self.dataset, f"protocol {self.protocol}", self.direction) if part]
        return marked(", ".join(parts), self.protocol)


_ALWAYS: tuple[tuple[str, str, Write], ...] = (
    ("name", "Name", shown),
    ("bits", "Bits", shown_bits),
    ("protocol", "Protocol", shown),
    ("macro_map", "Macro mAP", shown),
    ("ci95", "95 % interval", shown_interval),
    ("micro_map", "Micro mAP", shown),
    ("p_at_1", "P@1", shown),
    ("p_at_5", "P@5", shown),
    ("p_at_10", "P@10", shown),
    ("difference_to_linear", "Difference to linear", shown_difference),
)
_WHERE_GIVEN: tuple[tuple[str, str, Write], ...] = (
    ("recall_at_10", "Recall@10", shown),
    ("p_at_3", "P@3", shown),
    ("share", "Hits among the first R", shown),
    ("share_ci95", "Its 95 % interval", shown_interval),
    ("p_at_10_ci95", "95 % interval of P@10", shown_interval),
    ("clusters", "People or structures drawn", shown),
    ("over_chance", "Over chance", shown),
    ("kept_of_floats", "Over its own floats", shown),
    ("difference_to", "Difference to peers", shown),
    ("floats", "Floats", shown),
    ("iou", "IoU", shown),
    ("seeds", "Seeds", shown),
    ("sd", "SD over seeds", shown),
    ("queries", "Queries", shown),
    ("without_relevant", "Left out (nothing relevant)", shown),
    ("balance", "Bit balance", shown),
    ("worst_balance", "Worst bit balance", shown),
    ("correlation", "Bit correlation", shown),
    ("effective_bits", "Effective bits", shown),
    ("distinct", "Distinct codes", shown),
    ("precision_radius_2", "Precision, radius 2", shown),
    ("recall_radius_2", "Recall, radius 2", shown),
    ("structures", "Structures", shown),
    ("ms_per_window", "ms per window", shown),
    ("duplicates", "Duplicates across sides", shown),
    ("metric", "Metric", shown),
    ("what", "What", shown),
    ("note", "Note", shown),
    ("source", "Source", shown),
)
_SPEED: tuple[tuple[str, str, Write], ...] = (
    ("name", "What", shown),
    ("peer", "Peer", shown),
    ("ratio", "Peer / ours", shown),
    ("ratio_ci95", "95 % interval", shown_interval),
    ("quality", "Quality", shown),
    ("p50_ms", "p50 (ms)", shown),
    ("p95_ms", "p95 (ms)", shown),
    ("peer_p50_ms", "Peer p50 (ms)", shown),
    ("peer_p95_ms", "Peer p95 (ms)", shown),
    ("setting", "Setting", shown),
    ("threads", "Threads", shown),
    ("repeats", "Rounds", shown),
    ("warm_up", "Warm-up", shown),
)
_SPEED_WHERE_GIVEN: tuple[tuple[str, str, Write], ...] = (
    ("made", "Search made", shown),
    ("least_recall", "Least recall of a query", shown),
    ("ranked_share", "Frames compared whole", shown),
    ("throughput_per_s", "Queries / s", shown),
    ("throughput_ratio", "Against the first load", shown),
    ("answered_per_s", "Answered / s", shown),
    ("memory_mib", "Memory (MiB)", shown),
)
_OF_PAPERS = frozenset({"metric", "source"})
"""What is known of quoted figures; the rest of their columns would only show defaults."""

_WITHOUT_MAP = frozenset({"phantom", "nodule"})
"""Protocols whose rows have a place for a mAP, as all rows do, and leave it empty."""
_NOT_SHOWN = frozenset(
    {"pr_curve", "per_class", "area_bins", "curve", "by", "data", "model_fingerprint", "recall_by_person"}
)
"""Plotted, or of use in the JSON lines alone."""


def groups(rows: Sequence[Row]) -> list[Group]:
    """Return the rows of protocols that have a mAP, by what may be compared; clean first, quoted last."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if _is_map(row):
            key = (str(row.get("dataset") or ""), protocol_of(row), str(row.get("direction") or ""))
            found.setdefault(key, []).append(row)
    order = list(PROTOCOLS)
    made = [Group(*key, tuple(sorted(members, key=_rank))) for key, members in found.items()]
    return sorted(
        made,
        # An unknown protocol stands after the known ones of our own, before those that are marked.
        key=lambda group: order.index(group.protocol if group.protocol in order else "speed"),
    )


def _is_map(row: Row) -> bool:
    return "macro_map" in row and not (row["macro_map"] is None and protocol_of(row) in _WITHOUT_MAP)


def _rank(row: Row) -> tuple[float, float]:
    value = number(row.get("macro_map")) or number(row.get("micro_map")) or 0.0
    return number(row.get("bits")) or 0.0, -value


def accuracy_table(group: Group) -> Table:
    """Return the table of one group, by bits and then by macro mAP."""
    further = tuple(column for column in _WHERE_GIVEN if _given(group.rows, column[0]))
    columns = _ALWAYS + tuple(
        column for column in further if group.protocol != "quoted" or column[0] in _OF_PAPERS
    )
    return _table(group.title, PROTOCOLS.get(group.protocol, ""), columns, group.rows)


def speed_parts(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each part that was timed."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        if "part" in row and "ratio" in row:
            parts.setdefault(str(row["part"]), []).append(row)
    return parts


def speed_table(part: str, rows: Sequence[Row]) -> Table:
    """Return the table of one part."""
    further = tuple(column for column in _SPEED_WHERE_GIVEN if _given(rows, column[0]))
    return _table(f"Speed: {part}", PROTOCOLS["speed"], _SPEED + further, rows)


def speed_tables(rows: Sequence[Row]) -> list[Table]:
    """Return one table for each part that was timed."""
    return [speed_table(part, members) for part, members in speed_parts(rows).items()]


def other_tables(rows: Sequence[Row]) -> list[Table]:
    """Return tables of the rows that are neither accuracy nor speed, one for each set of keys."""
    kinds: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
    for row in rows:
        if not _is_map(row) and not ("part" in row and "ratio" in row):
            keys = tuple(key for key in row if key not in _NOT_SHOWN)
            kinds.setdefault((protocol_of(row), keys), []).append(row)
    return [
        _table(
            marked(f"Further figures, protocol {protocol}", protocol),
            PROTOCOLS.get(protocol, ""),
            tuple(
                (key, key.replace("_", " "), shown_bits if key == "bits" else shown)
                for key in keys
                if _given(members, key)
            ),
            members,
        )
        for (protocol, keys), members in kinds.items()
    ]


def class_table(group: Group) -> Table | None:
    """Return the AP of every class under every peer that has them, None where none has."""
    rows = [row for row in group.rows if per_class(row)]
    if not rows:
        return None
    classes = sorted({label for row in rows for label in per_class(row)})
    return Table(
        marked("AP by class", group.protocol),
        "Mean over the queries of the class.",
        ("Class", *(peer_name(row) for row in rows)),
        tuple((label, *(shown(per_class(row).get(label)) for row in rows)) for label in classes),
        ("",) * len(classes),
    )


def area_table(group: Group) -> Table | None:
    """Return the figures by area of the region, None where no row has them."""
    columns = (
        ("name", "Name", shown),
        ("bits", "Bits", shown_bits),
        ("area_cm2", "Area (cm2)", shown),
        ("macro_map", "Macro mAP", shown),
        ("p_at_10", "P@10", shown),
        ("iou", "IoU", shown),
        ("queries", "Queries", shown),
    )
    own = ("name", "bits", "protocol", "gallery_learnt_from")
    bins = [
        {**part, **{key: row.get(key) for key in own}}
        for row in group.rows
        for part in _mappings(row.get("area_bins"))
    ]
    return _table(marked("By area of the region", group.protocol), "", columns, bins) if bins else None


def _mappings(value: object) -> list[Row]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def per_class(row: Row) -> dict[str, float]:
    """Return the finite APs of a row by class, empty where it has none."""
    given = row.get("per_class")
    if not isinstance(given, Mapping):
        return {}
    found = {str(label): number(value) for label, value in given.items()}
    return {label: value for label, value in found.items() if value is not None}


def peer_name(row: Row) -> str:
    """Return a row's name with its bits and its mark."""
    bits = number(row.get("bits"))
    name = f"{row.get('name')}, {bits:.0f} bits" if bits else str(row.get("name"))
    mark = row_mark(row)
    return f"{name} [{mark}]" if mark else name


def environment_table(environment: Mapping[str, object]) -> Table:
    """Return commit, machine, versions and whatever else describes the run."""
    rows = tuple((str(name), shown(value)) for name, value in environment.items())
    return Table("Environment", "", ("What", "Value"), rows, ("",) * len(rows))


def _given(rows: Sequence[Row], key: str) -> bool:
    return any(row.get(key) is not None for row in rows)


def _table(title: str, note: str, columns: Sequence[tuple[str, str, Write]], rows: Sequence[Row]) -> Table:
    cells = tuple(
        tuple(write(row[key]) if key in row else NOTHING for key, _, write in columns) for row in rows
    )
    marks = tuple(row_mark(row) for row in rows)
    return Table(title, note, tuple(heading for _, heading, _ in columns), cells, marks)

"""Answers out: values of the domain as JSON. No file path, no origin and no NaN leaves here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from hmar.properties.table import TABLE
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.frames import Frame, FrameInfo
from hmar.values.geometry import Box, Spacing
from hmar.values.hits import Hit
from hmar.values.jobs import Item, ItemState, Job

Json = dict[str, object]


def hit_json(hit: Hit) -> Json:
    """Describe one hit."""
    info = hit.entry.info
    return {
        "rank": hit.rank,
        "distance": number(hit.distance),
        "bits": hit.bits,
        "study_uid": info.study_uid,
        "series_uid": info.series_uid,
        "sop_instance_uid": info.sop_instance_uid,
        "frame_number": info.frame_number,
        "instance_number": info.instance_number,
        "collection": hit.entry.collection,
        **properties_json(info),
        "rows": info.rows,
        "columns": info.columns,
        "box": box_json(hit.box),
        "box_mm": box_json(hit.box_mm),
        "experts": {
            "global": {"distance": number(hit.global_distance), "score": number(hit.global_score)},
            "local": {"distance": number(hit.local_distance), "score": number(hit.local_score)},
        },
        "gate": gate_json(hit.gate),
        "model": hit.model,
    }


def properties_json(info: FrameInfo) -> Json:
    """Return the properties that may be shown, null for those that are unknown."""
    return {name: item.to_json(getattr(info, name)) for name, item in TABLE.items() if item.shown}


def query_json(frame: Frame, region: Box | None, hits: Sequence[Hit]) -> Json:
    """Describe what was searched for; gate and typicality are null without hits.

    Typicality is null, too, where the model cannot tell it.
    """
    info = frame.info
    extent = region.extent_mm(info.spacing) if region is not None and info.spacing is not None else None
    return {
        "modality": info.modality,
        "body_part": info.body_part,
        "frame_number": info.frame_number,
        "rows": info.rows,
        "columns": info.columns,
        "spacing_mm": spacing_json(info.spacing),
        "region": box_json(region),
        "region_mm": box_json(extent),
        "gate": gate_json(hits[0].gate) if hits else None,
        "typicality": _optional(hits[0].query_typicality) if hits else None,
        "out_of_distribution": hits[0].query_out_of_distribution if hits else None,
    }


def series_json(series: SeriesInfo) -> Json:
    """Describe a series."""
    return {
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "collection": series.collection,
        "modality": series.modality,
        "body_part": series.body_part,
        "frames": series.frames,
    }


def frame_json(entry: EntryInfo) -> Json:
    """Describe an indexed frame of a series."""
    info: FrameInfo = entry.info
    return {
        "sop_instance_uid": info.sop_instance_uid,
        "frame_number": info.frame_number,
        "instance_number": info.instance_number,
        "rows": info.rows,
        "columns": info.columns,
        "spacing_mm": spacing_json(info.spacing),
        "position_mm": None if info.position is None else [number(value) for value in info.position],
    }


def job_json(job: Job, failed: Sequence[Item]) -> Json:
    """Describe an index job and the first of its failures."""
    return {
        "job_id": job.job_id,
        "collection": job.collection,
        "label": job.label,
        "state": job.state.value,
        "finished": job.finished,
        "created_at": _time(job.created_at),
        "updated_at": _time(job.updated_at),
        "total": job.total,
        "counts": {state.value: job.counts.get(state, 0) for state in ItemState},
        "frames": job.frames,
        "reason": job.reason,
        "failed_items": [item_json(item) for item in failed],
    }


def item_json(item: Item) -> Json:
    """Describe one file of a job; of its place only the last part is told."""
    return {
        "item_id": item.item_id,
        "reference": PurePosixPath(item.origin.reference).name,
        "state": item.state.value,
        "attempts": item.attempts,
        "frames": item.frames,
        "reason": item.reason,
    }


def box_json(box: Box | None) -> Json | None:
    """Describe a rectangle."""
    if box is None:
        return None
    return {name: number(value) for name, value in box._asdict().items()}


def gate_json(gate: tuple[float, float]) -> Json:
    """Describe the router's weights."""
    return {"global": number(gate[0]), "local": number(gate[1])}


def spacing_json(spacing: Spacing | None) -> list[float | int | None] | None:
    """Describe pixel spacing as [between rows, between columns]."""
    return None if spacing is None else [number(spacing.row_mm), number(spacing.column_mm)]


def number(value: float) -> float | int | None:
    """Return a number as JSON can hold it: whole ones as integers, null for NaN and infinity."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else round(value, 6)


def _optional(value: float | None) -> float | int | None:
    return None if value is None else number(value)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

"""What a client searches with, and the fields of a request that say so."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from hmar.errors import DecodeError
from hmar.values.indexed import Indexed, collection_of, named
from hmar.values.judged import Judged
from hmar.values.outline import Outline, Region, RegionLike, searched_regions_of
from hmar.values.selection import Exclusion, Same, named_series

Queryable = str | os.PathLike[str] | bytes | Indexed
"""A file by its path, the bytes of one, or a frame of the archive."""
Fields = dict[str, object]


def frame_fields(indexed: Indexed) -> Fields:
    """Return the fields that name a frame of the archive."""
    name = named(indexed)
    return {"sop_instance_uid": name.sop_instance_uid, "frame_number": name.frame_number}


def query_fields(indexed: Indexed) -> Fields:
    """Return the fields that name a frame of the archive as the query, of the collection that it is of."""
    return frame_fields(indexed) | given(query_collection=collection_of(indexed))


def file_bytes(file: str | os.PathLike[str] | bytes) -> bytes:
    """Return what a file holds; raises DecodeError if it cannot be read."""
    if isinstance(file, bytes):
        return file
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise DecodeError(
            f"The file cannot be read ({error.strerror}).", "Check its path and permissions."
        ) from error


def region_fields(box: RegionLike | Sequence[RegionLike] | None) -> Fields:
    """Return the fields of one region, of several, or none; raises RegionError for what is no region."""
    regions = [_numbers(region) for region in searched_regions_of(box)]
    if len(regions) > 1:
        return {"regions": regions}
    return {"region": regions[0]} if regions else {}


def _numbers(region: Region) -> list[object]:
    """Return the four numbers of a box, and the points of an outline."""
    return [*map(list, region.points)] if isinstance(region, Outline) else [*region]


def exclusion_field(exclude: Same | Exclusion | None) -> Fields | None:
    """Return what is left out, as a request has it; None for nothing."""
    wanted = exclude if isinstance(exclude, Exclusion) else Exclusion(exclude)
    named_uids = {
        name: list(getattr(wanted, name)) for name in ("series_uids", "study_uids", "sop_instance_uids")
    }
    return given(same=wanted.same, **{name: uids or None for name, uids in named_uids.items()}) or None


def only_field(only: Collection[str] | None) -> Fields | None:
    """Return the series that alone may be found, as a request has them; None for any."""
    named_uids = named_series(only)
    return None if named_uids is None else {"series_uids": sorted(named_uids)}


def judged_fields(relevant: Sequence[Indexed], not_relevant: Sequence[Indexed]) -> Fields:
    """Return the fields of frames that were judged; raises ParameterError as :class:`hmar.values.judged`."""
    judged = Judged.of(relevant, not_relevant)
    return {
        name: [frame_fields(frame) for frame in frames]
        for name, frames in (("relevant", judged.relevant), ("not_relevant", judged.not_relevant))
        if frames
    }


def given(**fields: object) -> Fields:
    """Return the fields that are not None: null is no way of leaving a field out."""
    return {name: value for name, value in fields.items() if value is not None}


def as_form(fields: Mapping[str, object]) -> dict[str, str]:
    """Return fields as a form has them: regions as numbers with commas, points apart, objects as JSON."""
    return {name: _as_text(name, value) for name, value in fields.items()}


def _as_text(name: str, value: object) -> str:
    if name == "region" and isinstance(value, list):
        return _region_text(value)
    if name == "regions" and isinstance(value, list):
        return ";".join(map(_region_text, value))
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _region_text(region: list[object]) -> str:
    points = [",".join(map(str, each)) if isinstance(each, list) else str(each) for each in region]
    return (" " if isinstance(region[0], list) else ",").join(points)

"""Entries to table rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hmar.adapters.sql.schema import entries
from hmar.adapters.sql.seals import CODE_COLUMNS
from hmar.properties.table import TABLE
from hmar.values.codes import CODE_BYTES, EncodedFrame
from hmar.values.digests import Digests
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Spacing

_WINDOW_ID = np.dtype("<u4")
WINDOW_ID_BYTES = _WINDOW_ID.itemsize
INFO_COLUMNS = [column for column in entries.columns if column.name not in CODE_COLUMNS]
"""All that an EntryInfo is made of, and verified by."""


def entry_row(entry_id: int, collection: str, encoded: EncodedFrame, origin: Origin) -> dict[str, Any]:
    """Return the row of an entry; codes as their bytes, window ids as little-endian uint32."""
    info = encoded.info
    row_mm, column_mm = info.spacing or (None, None)
    x, y, z = info.position or (None, None, None)
    digests = encoded.digests
    return {
        "entry_id": entry_id,
        "collection": collection,
        "model_fingerprint": encoded.model_fingerprint,
        "origin_source": origin.source,
        "origin_reference": origin.reference,
        "study_uid": info.study_uid,
        "series_uid": info.series_uid,
        "sop_instance_uid": info.sop_instance_uid,
        "frame_number": info.frame_number,
        "patient_key": info.patient_key,
        "rows": info.rows,
        "columns": info.columns,
        "row_mm": row_mm,
        "column_mm": column_mm,
        "series_number": info.series_number,
        "instance_number": info.instance_number,
        "position_x_mm": x,
        "position_y_mm": y,
        "position_z_mm": z,
        "uids_derived": info.uids_derived,
        **code_columns(encoded),
        "pixel_aspect": info.pixel_aspect,
        "file_sha256": digests and digests.file_sha256,
        "pixel_digest": digests and digests.pixels,
        "header_digest": digests and digests.header,
        "file_frames": digests and digests.file_frames,
        "stack": info.stack,
        "along_mm": info.along_mm,
        **{name: getattr(info, name) for name in TABLE},
    }


def code_columns(encoded: EncodedFrame) -> dict[str, Any]:
    """Return what a row holds of an encoder's making."""
    return {
        "gate_global": float(encoded.gate[0]),
        "gate_local": float(encoded.gate[1]),
        "global_code": encoded.global_code.tobytes(),
        "window_codes": encoded.window_codes.tobytes(),
        "window_ids": encoded.window_ids.astype(_WINDOW_ID).tobytes(),
    }


def frame_info(row: Mapping[str, Any]) -> FrameInfo:
    """Return the frame that a row describes."""
    return FrameInfo(
        study_uid=row["study_uid"],
        series_uid=row["series_uid"],
        sop_instance_uid=row["sop_instance_uid"],
        frame_number=row["frame_number"],
        patient_key=row["patient_key"],
        rows=row["rows"],
        columns=row["columns"],
        spacing=None if row["row_mm"] is None else Spacing(row["row_mm"], row["column_mm"]),
        series_number=row["series_number"],
        instance_number=row["instance_number"],
        position=(
            None
            if row["position_x_mm"] is None
            else (row["position_x_mm"], row["position_y_mm"], row["position_z_mm"])
        ),
        uids_derived=row["uids_derived"],
        pixel_aspect=row["pixel_aspect"],
        stack=row["stack"],
        along_mm=row["along_mm"],
        **{name: row[name] for name in TABLE},
    )


def entry_info(row: Mapping[str, Any]) -> EntryInfo:
    """Return the entry that a row of ``INFO_COLUMNS`` holds."""
    origin = Origin(row["origin_source"], row["origin_reference"])
    return EntryInfo(
        row["entry_id"], row["collection"], frame_info(row), row["model_fingerprint"], origin, _digests(row)
    )


def encoded_frame(row: Mapping[str, Any]) -> EncodedFrame:
    """Return the codes that a whole row holds; the arrays are read-only."""
    return EncodedFrame(
        info=frame_info(row),
        global_code=np.frombuffer(row["global_code"], np.uint8),
        window_codes=np.frombuffer(row["window_codes"], np.uint8).reshape(-1, CODE_BYTES),
        window_ids=np.frombuffer(row["window_ids"], _WINDOW_ID),
        gate=(row["gate_global"], row["gate_local"]),
        model_fingerprint=row["model_fingerprint"],
        digests=_digests(row),
    )


def _digests(row: Mapping[str, Any]) -> Digests | None:
    if row["pixel_digest"] is None:
        return None
    return Digests(row["pixel_digest"], row["header_digest"], row["file_sha256"], row["file_frames"])

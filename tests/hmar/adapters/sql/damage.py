"""One bit of a stored value turned over, behind the program's back."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path


def flip_value(path: Path, table: str, column: str, where: str) -> None:
    """Turn one bit over in the middle of a column's value of one row; NULL becomes 1."""
    with closing(sqlite3.connect(path)) as connection:
        [(kind, value)] = connection.execute(
            f"SELECT typeof({column}), {column} FROM {table} WHERE {where}"
        ).fetchall()
        connection.execute(
            f"UPDATE {table} SET {column} = {'CAST(? AS TEXT)' if kind == 'text' else '?'} WHERE {where}",
            (_flipped(value),),
        )
        connection.commit()


def _flipped(value: object) -> object:
    if value is None:
        return 1
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, float):
        (bits,) = struct.unpack(">Q", struct.pack(">d", value))
        return struct.unpack(">d", struct.pack(">Q", bits ^ 1))[0]
    data = bytearray(value.encode() if isinstance(value, str) else value)  # type: ignore[arg-type]
    data[len(data) // 2] ^= 0x04
    return bytes(data)


def flip_bit(path: Path, place: int) -> None:
    """Turn one bit over in a file."""
    data = bytearray(path.read_bytes())
    data[place // 8] ^= 1 << (place % 8)
    path.write_bytes(data)

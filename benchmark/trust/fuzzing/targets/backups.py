"""A backup as restoring reads it: what is accepted is, byte by byte, what would be written."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from benchmark.trust.fuzzing.manifests import sealed_text
from benchmark.trust.fuzzing.target import Once, Target
from hmar.backup.layout import CATALOGUE, END, MANIFEST, Manifest, Member, header, padding
from hmar.backup.read import read_backup
from hmar.errors import BackupError

_SEPARATOR = b"\0HMAR\0"
_CONTENT = {
    CATALOGUE: b"SQLite format 3\0" + bytes(200),
    "secrets/patient": bytes(range(32)),
    f"uploads/ab/ab{'0' * 62}": b"an upload",
}


def make() -> Once:
    """Return what reads a backup.

    The input is the whole file; or, before a separator, a manifest, which is sealed and framed as a writer
    does, and after it the members.
    """
    path = Path(tempfile.mkdtemp()) / "backup.tar"

    def once(data: bytes) -> None:
        body, separator, rest = data.partition(_SEPARATOR)
        whole = _framed(MANIFEST, sealed_text(body)) + rest if separator else data
        path.write_bytes(whole)
        opened = _Opened()
        try:
            manifest = read_backup(path, lambda _manifest: opened)
        except BackupError:
            return
        members = [_framed(member.name, opened.content[member.name]) for member in manifest.members]
        assert whole == _framed(MANIFEST, manifest.to_bytes()) + b"".join(members) + END

    return once


class _Opened:
    """Opens what members are written to, and keeps it."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    @contextmanager
    def __call__(self, member: Member) -> Iterator[BinaryIO]:
        target = io.BytesIO()
        yield target
        self.content[member.name] = target.getvalue()


def _framed(name: str, content: bytes) -> bytes:
    return header(name, len(content)) + content + bytes(padding(len(content)))


def seeds() -> Mapping[str, bytes]:
    """Return a whole backup, and its manifest with the members after it."""
    members = tuple(
        Member(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in _CONTENT.items()
    )
    manifest = Manifest("1", "0006", "model", "f", 1.5, members).to_bytes()
    rest = b"".join(_framed(name, content) for name, content in _CONTENT.items()) + END
    body = json.dumps(json.loads(manifest)["manifest"]).encode()
    return {
        "whole": _framed(MANIFEST, manifest) + rest,
        "manifest": body + _SEPARATOR + rest,
        "cut": body + _SEPARATOR + rest[:700],
        "empty": _framed(MANIFEST, Manifest("1", "0006", "m", "f", 0.0, ()).to_bytes()) + END,
    }


TARGET = Target(make, seeds, weight=20, most_bytes=8192)

"""Every kind of file that the product writes or reads, and how each is harmed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmark.trust.faults import harms
from benchmark.trust.faults.harms import CONTENT, Harm, Victim
from benchmark.trust.kills.operations import BACKUP
from hmar.index.snapshot import ARRAYS

_OBSERVATION = "benchmark.trust.faults.observation"


@dataclass(frozen=True, slots=True)
class Fault:
    """One harm to one file.

    Parameters
    ----------
    kind : str
        Of the file, on the page.
    harm : str
        What is done, on the page.
    find : callable
        Given a data directory, returns the file.
    do : callable
        Does it.
    observe : str
        Import path of the function that uses the archive afterwards.
    environment : tuple of (str, str)
        Settings of that process; ``{home}`` is the data directory.
    """

    kind: str
    harm: str
    find: Callable[[Path], Path]
    do: Harm
    observe: str = f"{_OBSERVATION}:observe"
    environment: tuple[tuple[str, str], ...] = ()


def _named(place: str) -> Callable[[Path], Path]:
    """Return what finds the last file of a pattern."""

    def find(home: Path) -> Path:
        found = [path for path in home.glob(place) if path.is_file()]
        if not found:
            raise RuntimeError(f"the archive has no {place}")
        return max(found)

    return find


def _each(kind: str, place: str, names: str, **more: object) -> list[Fault]:
    chosen = CONTENT if names == "all" else {name: CONTENT[name] for name in names.split(", ")}
    return [Fault(kind, name, _named(place), harm, **more) for name, harm in chosen.items()]  # type: ignore[arg-type]


def _statement(text: str) -> Harm:
    def run(victim: Victim) -> None:
        with closing(sqlite3.connect(victim.path)) as connection, connection:
            connection.execute(text)

    return run


def _rows() -> list[Fault]:
    """Rows altered behind the product's back: SQLite finds nothing wrong with them."""
    statements = {
        "a code altered": "UPDATE entries SET global_code = zeroblob(16) WHERE entry_id = 4",
        "window codes altered": (
            "UPDATE entries SET window_codes = zeroblob(length(window_codes)) WHERE entry_id = 4"
        ),
        "window codes cut": "UPDATE entries SET window_codes = substr(window_codes, 1, 7) WHERE entry_id = 4",
        "another instance": "UPDATE entries SET sop_instance_uid = '1.2.3' WHERE entry_id = 4",
        "another patient": "UPDATE entries SET patient_key = 'other' WHERE entry_id = 4",
        "a row deleted": "DELETE FROM entries WHERE entry_id = 4",
        "a log row deleted": "DELETE FROM log WHERE seq = 4",
        "an addition made a deletion": "UPDATE log SET kind = 'delete' WHERE seq = 4",
        "a log row of another entry": "UPDATE log SET entry_id = 5 WHERE seq = 4",
    }
    # Without a snapshot, so that the rows are read.
    return [
        Fault("rows of the database", name, _named("catalogue.db"), _aside(_statement(text)))
        for name, text in statements.items()
    ]


def _aside(harm: Harm) -> Harm:
    def do(victim: Victim) -> None:
        for snapshot in (victim.path.parent / "index").glob("*/gen-*"):
            snapshot.rename(snapshot.with_name(f"set-aside-{snapshot.name}"))
        harm(victim)

    return do


def _settings() -> list[Fault]:
    values = {
        "HMAR_ITEM_LEASE_S": "soon",
        "HMAR_DECODERS": "0",
        "HMAR_PORT": "99999",
        "HMAR_SCAN_KERNELS": "fast",
        "HMAR_REDIS_URL": "http://127.0.0.1",
        "HMAR_MODEL_DIR": "{home}/no-such-model",
    }
    return [
        Fault(
            "setting",
            f"{name}={value}",
            _named("catalogue.db"),
            lambda _victim: None,
            f"{_OBSERVATION}:observe_settings",
            ((name, value),),
        )
        for name, value in values.items()
    ]


_MODEL = (("HMAR_MODEL_DIR", "{home}/model"),)
_BROAD = "bit flipped, cut in half, removed"
_MOVED = "cut in half, removed, of another archive"


def faults() -> list[Fault]:
    """Return all faults."""
    loading = {"observe": f"{_OBSERVATION}:observe_settings", "environment": _MODEL}
    found = [
        *_each("database", "catalogue.db", "all"),
        *_each("write-ahead log", "catalogue.db-wal", f"{_BROAD}, emptied, half zeroed"),
        *(
            Fault("database, read anew", f"bit {place} flipped", _named("catalogue.db"), _aside(harms.flip))
            for place in ("first", "second", "third", "fourth")
        ),
        *_rows(),
        *_each("snapshot, manifest", "index/*/gen-*/manifest.json", "all"),
    ]
    for name in ARRAYS:
        place = _named(f"index/*/gen-*/{name}.npy")
        found.append(Fault("snapshot, arrays", f"bit of {name} flipped", place, harms.flip))
    found += [
        *_each("snapshot, arrays", "index/*/gen-*/window_codes.npy", _MOVED),
        *_each("upload", "uploads/*/*", "all"),
        *_each("secret of patients", "secrets/patient", "all"),
        *_each("secret of sessions", "secrets/session", "bit flipped, cut in half, removed"),
        *_each("API key", "secrets/api-key", "bit flipped, emptied, removed"),
        *_each("address of the broker", "run/broker.url", "bit flipped, emptied, a folder in its place"),
        *_each("backup", BACKUP, "all", observe=f"{_OBSERVATION}:observe_backup"),
        *_each("image, shown", "import/album/s1-1.dcm", "all"),
        *_each(
            "image, indexed again",
            "import/album/s1-1.dcm",
            "cut in half, emptied, bit of its head flipped",
            observe=f"{_OBSERVATION}:observe_indexing",
        ),
        *_settings(),
    ]
    for file in ("model.safetensors", "trunk.onnx", "config.toml", "typicality.npz", "SHA256SUMS"):
        found += _each(f"model, {file}", f"model/{file}", _BROAD, **loading)
    return found

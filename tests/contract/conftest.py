"""The adapters that the contract suite runs over.

With HMAR_TEST_POSTGRES_URL set to the SQLAlchemy URL of a PostgreSQL database, it runs over that too, and
empties it before each test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import (
    MemoryCatalogue,
    MemoryFollowStore,
    MemoryIndex,
    MemoryJobStore,
    MemoryKeyStore,
    MemorySessionStore,
    MemoryWebhookStore,
)
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.follows import SqlFollowStore
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.keys import SqlKeyStore
from hmar.adapters.sql.schema import metadata
from hmar.adapters.sql.sessions import SqlSessionStore
from hmar.adapters.sql.webhooks import SqlWebhookStore
from hmar.narrowed.catalogue import NarrowedCatalogue
from hmar.narrowed.index import NarrowedIndex
from hmar.narrowed.jobs import NarrowedJobs
from hmar.ports import Catalogue, CodeIndex, FollowStore, JobStore, KeyStore, SessionStore, WebhookStore
from hmar.values.access import Access
from hmar.values.identity import administrator
from tests.contract.examples import MODEL, Clock

POSTGRES_URL = os.environ.get("HMAR_TEST_POSTGRES_URL", "")
STORES = ["memory", "sqlite", *(["postgresql"] if POSTGRES_URL else [])]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'catalogue.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def postgresql() -> Iterator[Database]:
    database = Database(POSTGRES_URL)
    database.migrate()
    with database.write() as connection:
        tables = ", ".join(name for name in metadata.tables if name != "counter")
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        connection.execute(text("UPDATE counter SET value = 0"))
    yield database
    database.close()


def everything() -> Access:
    return Access(administrator("everybody"))


@pytest.fixture(params=[*STORES, "narrowed"])
def catalogue(request: pytest.FixtureRequest, clock: Clock) -> Catalogue:
    if request.param == "memory":
        return MemoryCatalogue(clock)
    if request.param == "narrowed":
        return NarrowedCatalogue(MemoryCatalogue(clock), everything)
    return SqlCatalogue(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=[*STORES, "narrowed"])
def jobs(request: pytest.FixtureRequest, clock: Clock) -> JobStore:
    if request.param == "memory":
        return MemoryJobStore(clock)
    if request.param == "narrowed":
        return NarrowedJobs(MemoryJobStore(clock), everything)
    return SqlJobStore(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=STORES)
def keys(request: pytest.FixtureRequest, clock: Clock) -> KeyStore:
    if request.param == "memory":
        return MemoryKeyStore(clock)
    return SqlKeyStore(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=STORES)
def sessions(request: pytest.FixtureRequest, clock: Clock) -> SessionStore:
    if request.param == "memory":
        return MemorySessionStore(clock)
    return SqlSessionStore(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=STORES)
def webhooks(request: pytest.FixtureRequest, clock: Clock) -> WebhookStore:
    if request.param == "memory":
        return MemoryWebhookStore(clock)
    return SqlWebhookStore(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=STORES)
def follows(request: pytest.FixtureRequest, clock: Clock) -> FollowStore:
    if request.param == "memory":
        return MemoryFollowStore(clock)
    return SqlFollowStore(request.getfixturevalue(request.param), clock)


@pytest.fixture(params=["memory", "embedded", "embedded without snapshots", "narrowed"])
def new_index(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], CodeIndex]:
    if request.param == "memory":
        return lambda: MemoryIndex(MODEL)
    if request.param == "narrowed":
        return lambda: NarrowedIndex(MemoryIndex(MODEL), everything)
    root = tmp_path / "index" if request.param == "embedded" else None
    return lambda: EmbeddedIndex(root, MODEL)

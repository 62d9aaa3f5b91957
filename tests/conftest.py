"""What all tests share: the order of their files, the processes that decode, and the tables of databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from hmar import wiring
from hmar.adapters.sql.database import Database
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.library.patients import process_server
from tests.migrated import migrating_a_copy


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files first that have the most slow tests, so that no core waits for a long file at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session", autouse=True)
def one_fork_server() -> Iterator[None]:
    """Let one server fork the decoders of all archives: each server imports for half a second."""

    def forked_there(limits: DecodeLimits, secret: bytes, *, steps: Sequence[bytes] = ()) -> ContainedDecoder:
        return ContainedDecoder(limits, secret, process_server(), steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "ContainedDecoder", forked_there)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_migration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the tables of SQLite once; tests of the migrations themselves take that back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "migrate", migrating_a_copy(tmp_path_factory.mktemp("migrated")))
        yield

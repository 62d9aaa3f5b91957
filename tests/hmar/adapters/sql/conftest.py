"""Tests of the database migrate as the product does."""

from __future__ import annotations

import pytest

from hmar.adapters.sql.database import Database
from tests import migrated


@pytest.fixture(autouse=True)
def own_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "migrate", migrated.migrate)

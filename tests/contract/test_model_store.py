from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryModelStore
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.models import SqlModelStore
from hmar.errors import ConflictError
from hmar.narrowed.models import NarrowedModels
from hmar.ports import Catalogue, ModelStore
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Extent, Selector
from hmar.values.digests import Digests
from hmar.values.entries import Origin
from hmar.values.models import Coverage, ModelName, ModelRoles
from tests.contract.conftest import STORES, everything
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded

OLD, NEW, THIRD = ModelName(MODEL, "old"), ModelName(OTHER_MODEL, "new"), ModelName("model-c", "third")
ELSEWHERE = Origin("import", "b/file")


class Stored(NamedTuple):
    """A catalogue and the models of its frames."""

    catalogue: Catalogue
    models: ModelStore


@pytest.fixture(params=[*STORES, "narrowed"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    if request.param in ("memory", "narrowed"):
        catalogue = MemoryCatalogue()
        models = MemoryModelStore(catalogue)
        yield Stored(catalogue, models if request.param == "memory" else NarrowedModels(models, everything))
        return
    database = request.getfixturevalue(request.param)
    yield Stored(SqlCatalogue(database), SqlModelStore(database))
    assert SqlIntegrity(database).check_log().intact


def codes_of(
    stored: Stored, of: Origin | str = ORIGIN, collection: str = "default"
) -> dict[int, EncodedFrame]:
    """Return codes of the new model for what it lacks: other ones than those of the old model."""
    found = {}
    for entry in stored.models.lacking(NEW.fingerprint, collection, of):
        other = encoded(
            f"9.{entry.info.sop_instance_uid}", entry.info.frame_number, windows=5, model=OTHER_MODEL
        )
        found[entry.entry_id] = other
    return found


def test_no_model_is_chosen_until_somebody_does(stored: Stored) -> None:
    assert stored.models.roles() == ModelRoles(None, None)
    stored.models.begin(OLD, OLD)
    assert stored.models.roles() == ModelRoles(OLD, None)
    stored.models.begin(THIRD, NEW)
    assert stored.models.roles() == ModelRoles(OLD, NEW), "what is recorded stays"
    stored.models.begin(OLD, NEW)
    with pytest.raises(ConflictError, match="models remove"):
        stored.models.begin(OLD, THIRD)
    stored.models.use(NEW)
    assert stored.models.roles() == ModelRoles(NEW, None)


def test_a_frame_is_missing_where_another_model_alone_has_it(stored: Stored) -> None:
    assert (stored.models.coverage(MODEL), stored.models.frames()) == ({}, {})
    stored.catalogue.append("default", [encoded("1.1"), encoded("1.1", 2), encoded("1.2")], ORIGIN)
    stored.catalogue.append("default", [encoded("1.2", model=OTHER_MODEL)], ORIGIN)
    stored.catalogue.append("lung", [encoded("1.1")], ELSEWHERE)
    models = stored.models
    assert models.coverage(MODEL) == {"default": Coverage(3, 0), "lung": Coverage(1, 0)}
    assert models.coverage(OTHER_MODEL) == {"default": Coverage(1, 2), "lung": Coverage(0, 1)}
    assert models.coverage(OTHER_MODEL, "lung") == {"lung": Coverage(0, 1)}
    assert models.coverage("unheard of", frozenset({"default"})) == {"default": Coverage(0, 3)}
    assert models.frames() == {MODEL: 4, OTHER_MODEL: 1}
    assert models.files(OTHER_MODEL, "default") == [ORIGIN]
    assert models.files(OTHER_MODEL, "lung") == [ELSEWHERE]
    assert models.files(MODEL, "default") == []
    lacking = models.lacking(OTHER_MODEL, "default", ORIGIN)
    assert [(e.info.sop_instance_uid, e.info.frame_number) for e in lacking] == [("1.1", 1), ("1.1", 2)]
    assert models.lacking(OTHER_MODEL, "default", ELSEWHERE) == []
    assert [e.collection for e in models.lacking(OTHER_MODEL, "lung", "1.1")] == ["lung"]
    assert (models.alone(MODEL), models.alone(OTHER_MODEL)) == (3, 0)


def test_what_is_carried_is_the_same_frame_in_all_but_its_codes(stored: Stored) -> None:
    digests = Digests("a" * 64, "b" * 64, "c" * 64, 2)
    given = [replace(encoded("1.1", n, label="seen"), digests=digests) for n in (1, 2)]
    stored.catalogue.append("default", given, ORIGIN)
    stored.models.begin(OLD, NEW)
    codes = codes_of(stored)
    assert stored.models.carry(codes) == 2
    assert stored.models.carry(codes) == 0, "a frame is indexed once under a model"
    assert stored.models.coverage(OTHER_MODEL) == {"default": Coverage(2, 0)}
    old = stored.catalogue.find("1.1", MODEL)
    new = stored.catalogue.find("1.1", OTHER_MODEL)
    alike = [replace(e, entry_id=0, model_fingerprint="") for e in old]
    assert [replace(e, entry_id=0, model_fingerprint="") for e in new] == alike
    assert [e.digests for e in new] == [digests, digests]
    rows = {row.entry_id: row for row in stored.catalogue.tail(0, 10)}
    for source, carried in zip(old, new, strict=True):
        row = rows[carried.entry_id]
        assert (row.kind, row.collection, row.encoded is not None) == ("add", "default", True)
        assert row.encoded is not None
        assert row.encoded.window_codes.tobytes() == codes[source.entry_id].window_codes.tobytes()
        assert row.encoded.model_fingerprint == OTHER_MODEL
        assert row.encoded.gate == codes[source.entry_id].gate


def test_what_is_deleted_or_relabelled_meanwhile_does_not_come_back(stored: Stored) -> None:
    stored.catalogue.append("default", [encoded("1.1"), encoded("1.2"), encoded("1.3")], ORIGIN)
    stored.models.begin(OLD, NEW)
    codes = codes_of(stored)
    stored.catalogue.delete(Selector("instance", "1.1"))
    stored.catalogue.relabel(Selector("instance", "1.2"), "new label")
    assert stored.models.carry(codes) == 1
    assert stored.catalogue.find("1.1", OTHER_MODEL) == []
    [again] = stored.models.lacking(OTHER_MODEL, "default", ORIGIN)
    assert (again.info.sop_instance_uid, again.info.label) == ("1.2", "new label")
    assert stored.models.carry(codes_of(stored)) == 1
    one = Selector("instance", "1.2")
    assert stored.catalogue.relabel(one, None) == 1, "one frame, under both models"
    assert stored.catalogue.extent(one) == Extent(1, 1, 1, 1)
    assert stored.catalogue.delete(Selector("study", "1.2")).extent.frames == 2
    assert stored.models.frames() == {}


def test_a_model_that_frames_are_missing_under_is_not_used_unless_that_is_said(stored: Stored) -> None:
    stored.catalogue.append("default", [encoded("1.1"), encoded("1.2")], ORIGIN)
    stored.models.begin(OLD, NEW)
    codes = codes_of(stored, "1.1")
    stored.models.carry(codes)
    with pytest.raises(ConflictError, match="1 frames are not indexed"):
        stored.models.use(NEW)
    assert stored.models.roles() == ModelRoles(OLD, NEW)
    stored.models.use(NEW, accept_missing=1)
    assert stored.models.roles() == ModelRoles(NEW, None)
    stored.models.use(OLD)
    assert stored.models.roles() == ModelRoles(OLD, None), "back again: nothing is missing there"


def test_another_next_model_stays_when_one_is_used(stored: Stored) -> None:
    stored.models.begin(OLD, NEW)
    stored.models.use(OLD)
    assert stored.models.roles() == ModelRoles(OLD, NEW)


def test_codes_of_a_model_that_nobody_asked_for_are_refused(stored: Stored) -> None:
    stored.catalogue.append("default", [encoded("1.1")], ORIGIN)
    with pytest.raises(ConflictError, match="hmar reindex"):
        stored.models.carry(codes_of(stored))
    assert stored.models.frames() == {MODEL: 1}


def test_a_model_that_is_not_used_is_forgotten_step_by_step(stored: Stored) -> None:
    stored.catalogue.append("default", [encoded(f"1.{n}") for n in range(3)], ORIGIN)
    stored.models.begin(OLD, NEW)
    stored.models.carry(codes_of(stored))
    with pytest.raises(ConflictError, match="models use"):
        stored.models.forget(MODEL, 10)
    assert stored.models.forget(OTHER_MODEL, 2) == 2
    assert stored.models.roles() == ModelRoles(OLD, None), "it is not the next one any more"
    assert stored.models.forget(OTHER_MODEL, 2) == 1
    assert stored.models.forget(OTHER_MODEL, 2) == 0
    assert stored.models.frames() == {MODEL: 3}
    kinds = [row.kind for row in stored.catalogue.tail(6, 10)]
    assert kinds == ["delete"] * 3

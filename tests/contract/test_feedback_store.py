"""Judgements are kept once for each person, in order, and go with the frames that they name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryFeedbackStore, MemoryModelStore
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.feedback import SqlFeedbackStore
from hmar.adapters.sql.models import SqlModelStore
from hmar.narrowed.feedback import NarrowedFeedback
from hmar.ports import Catalogue, FeedbackStore, ModelStore
from hmar.values.access import Access
from hmar.values.deletion import Selector
from hmar.values.digests import Digests
from hmar.values.feedback import FeedbackQuery, Judgement
from hmar.values.geometry import Box
from hmar.values.identity import Identity, administrator
from hmar.values.models import ModelName
from tests.contract.conftest import STORES
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded

SHA = "ab" * 32
QUERY = FeedbackQuery("1.1", None, 1, (Box(1.0, 2.5, 30.0, 40.0), Box(0.0, 0.0, 5.0, 5.0)))
FILE = FeedbackQuery(None, SHA)
LIKED = Judgement(
    QUERY, "default", "default", "2.1", 1, Box(9.0, 8.0, 32.0, 32.0), "relevant", "anna", 1000.25
)
Stores = tuple[Catalogue, FeedbackStore]


def filled(catalogue: Catalogue) -> None:
    digests = Digests("1" * 64, "2" * 64, SHA, 1)
    for uid, study, patient in (("1.1", "1", "p"), ("2.1", "2", "q"), ("3.1", "3", None)):
        frame = encoded(uid, study_uid=study, series_uid=f"{study}.9", patient_key=patient)
        frame = replace(frame, digests=digests if uid == "3.1" else None)
        for collection in ("default", "lung"):
            catalogue.append(collection, [frame], ORIGIN)


@pytest.fixture(params=[*STORES, "narrowed"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param in ("memory", "narrowed"):
        memory = MemoryCatalogue()
        filled(memory)
        feedback = MemoryFeedbackStore(memory)
        if request.param == "narrowed":
            return memory, NarrowedFeedback(feedback, lambda: Access(administrator("everybody")))
        return memory, feedback
    database = request.getfixturevalue(request.param)
    catalogue = SqlCatalogue(database)
    filled(catalogue)
    return catalogue, SqlFeedbackStore(database)


def verdicts(feedback: FeedbackStore) -> list[tuple[str, str, str]]:
    kept = [row.judgement for row in feedback.listed(0, 100)]
    return [(one.actor, one.sop_instance_uid, one.verdict) for one in kept]


def test_judgements_come_back_as_they_were_made_and_in_order(stores: Stores) -> None:
    _, feedback = stores
    other = replace(LIKED, query=FILE, query_collection=None, box=None, verdict="not_relevant")
    assert feedback.listed(0, 10) == []
    assert feedback.add([LIKED, other]) == 2
    first, second = feedback.listed(0, 10)
    assert (first.judgement, second.judgement) == (LIKED, other)
    assert (first.study_uid, second.study_uid) == ("2", "2")
    assert first.touched == {("study", "1"), ("study", "2"), ("patient", "p"), ("patient", "q")}
    assert second.touched == {("study", "2"), ("patient", "q")}
    assert feedback.listed(first.seq, 10) == [second]
    assert feedback.listed(0, 1) == [first]


def test_a_verdict_takes_the_place_of_the_same_persons_before_with_a_new_number(stores: Stores) -> None:
    _, feedback = stores
    feedback.add([LIKED, replace(LIKED, actor="ben")])
    last = feedback.listed(0, 10)[-1].seq
    feedback.add([replace(LIKED, actor="ben", verdict="not_relevant", at=1001.0)])
    assert verdicts(feedback) == [("anna", "2.1", "relevant"), ("ben", "2.1", "not_relevant")]
    [again] = feedback.listed(last, 10)
    assert (again.seq > last, again.judgement.at) == (True, 1001.0)


def test_another_box_of_the_query_is_another_query(stores: Stores) -> None:
    _, feedback = stores
    feedback.add([LIKED, replace(LIKED, query=replace(QUERY, regions=QUERY.regions[:1]))])
    assert len(feedback.listed(0, 10)) == 2


@pytest.mark.parametrize(
    "unknown",
    [
        replace(LIKED, sop_instance_uid="9.9"),
        replace(LIKED, frame_number=2),
        replace(LIKED, collection="elsewhere"),
        replace(LIKED, query=replace(QUERY, sop_instance_uid="9.9")),
        replace(LIKED, query=replace(QUERY, frame_number=2)),
        replace(LIKED, query_collection="elsewhere"),
    ],
)
def test_what_names_a_frame_that_is_not_indexed_is_not_kept(stores: Stores, unknown: Judgement) -> None:
    _, feedback = stores
    assert feedback.add([unknown, LIKED]) == 1
    assert verdicts(feedback) == [("anna", "2.1", "relevant")]


@pytest.mark.parametrize(
    ("selector", "left"),
    [
        (Selector("patient", "q"), ["file"]),
        (Selector("study", "2"), ["file"]),
        (Selector("series", "1.9"), []),
        (Selector("instance", "1.1"), []),
        (Selector("patient", "p"), []),
        (Selector("instance", "3.1"), ["indexed"]),
        (Selector("instance", "9.9"), ["indexed", "file"]),
    ],
)
def test_a_deletion_takes_what_names_its_frames_or_its_file(
    stores: Stores, selector: Selector, left: list[str]
) -> None:
    catalogue, feedback = stores
    by_file = replace(LIKED, query=FILE, query_collection=None, sop_instance_uid="1.1", actor="file")
    feedback.add([replace(LIKED, actor="indexed"), by_file])
    catalogue.delete(selector)
    assert [row.judgement.actor for row in feedback.listed(0, 10)] == left


def test_a_deletion_of_one_collection_leaves_what_names_another(stores: Stores) -> None:
    catalogue, feedback = stores
    lung = replace(LIKED, collection="lung", query_collection="lung", actor="ben")
    mixed = replace(LIKED, collection="lung", actor="carl")
    feedback.add([LIKED, lung, mixed])
    catalogue.delete(Selector("instance", "1.1"), "default")
    assert [row.judgement.actor for row in feedback.listed(0, 10)] == ["ben"]
    catalogue.delete(Selector("study", "2"), frozenset({"lung"}))
    assert feedback.listed(0, 10) == []


def test_numbers_do_not_come_again_after_a_deletion(stores: Stores) -> None:
    catalogue, feedback = stores
    feedback.add([LIKED, replace(LIKED, sop_instance_uid="3.1")])
    last = feedback.listed(0, 10)[-1].seq
    catalogue.delete(Selector("instance", "3.1"))
    feedback.add([replace(LIKED, actor="ben")])
    assert feedback.listed(0, 10)[-1].seq > last


def test_a_relabelled_frame_keeps_its_judgements_and_a_replaced_one_does_not(stores: Stores) -> None:
    catalogue, feedback = stores
    feedback.add([LIKED])
    catalogue.relabel(Selector("instance", "2.1"), "proven")
    assert len(feedback.listed(0, 10)) == 1
    [entry] = catalogue.instance("default", "2.1")
    frame = encoded("2.1", study_uid="2", series_uid="2.9", patient_key="q")
    catalogue.append("default", [frame], ORIGIN, replaced=[entry.entry_id])
    assert feedback.listed(0, 10) == []


def test_those_of_one_collection_are_listed_where_both_frames_are_in_it(stores: Stores) -> None:
    _, feedback = stores
    feedback.add(
        [
            LIKED,
            replace(LIKED, collection="lung", query_collection="lung", actor="ben"),
            replace(LIKED, collection="lung", actor="carl"),
            replace(LIKED, collection="lung", query=FILE, query_collection=None, actor="dora"),
        ]
    )

    def of(*names: str) -> list[str]:
        return [row.judgement.actor for row in feedback.listed(0, 10, frozenset(names))]

    assert [row.judgement.actor for row in feedback.listed(0, 10, "lung")] == ["ben", "dora"]
    assert (of("default"), of("lung")) == (["anna"], ["ben", "dora"])
    assert of("default", "lung") == ["anna", "ben", "carl", "dora"]
    assert of() == []


def test_who_sees_one_collection_is_given_and_may_keep_what_is_of_it_alone() -> None:
    catalogue = MemoryCatalogue()
    filled(catalogue)
    whole = MemoryFeedbackStore(catalogue)
    lung = replace(LIKED, collection="lung", query_collection="lung")
    whole.add([LIKED, lung])
    access = Access(Identity("lung", frozenset({"feedback"}), frozenset({"lung"})))
    narrowed = NarrowedFeedback(whole, lambda: access)
    [seen] = narrowed.listed(0, 10)
    assert seen.judgement == lung
    assert access.touched == seen.touched
    for refused in (LIKED, replace(LIKED, collection="lung"), replace(LIKED, query_collection="lung")):
        with pytest.raises(Exception, match="may not use the collection"):
            narrowed.add([refused])
    assert narrowed.add([replace(lung, actor="ben")]) == 1


@pytest.mark.parametrize("store", STORES)
def test_judgements_go_with_frames_that_leave_with_their_only_model(
    store: str, request: pytest.FixtureRequest
) -> None:
    catalogue: Catalogue
    feedback: FeedbackStore
    models: ModelStore
    if store == "memory":
        catalogue = memory = MemoryCatalogue()
        feedback, models = MemoryFeedbackStore(memory), MemoryModelStore(memory)
    else:
        database = request.getfixturevalue(store)
        catalogue, feedback = SqlCatalogue(database), SqlFeedbackStore(database)
        models = SqlModelStore(database)
    filled(catalogue)
    for uid, study, patient in (("1.1", "1", "p"), ("2.1", "2", "q")):
        other = encoded(uid, study_uid=study, series_uid=f"{study}.9", patient_key=patient, model=OTHER_MODEL)
        catalogue.append("default", [other], ORIGIN)
    lung, by_file = replace(LIKED, collection="lung", actor="ben"), replace(LIKED, query=FILE, actor="file")
    feedback.add([LIKED, lung, replace(by_file, query_collection=None)])
    models.use(ModelName(OTHER_MODEL, "new"), accept_missing=10)
    while models.forget(MODEL, 2):
        pass
    assert [row.judgement.actor for row in feedback.listed(0, 10)] == ["anna"]

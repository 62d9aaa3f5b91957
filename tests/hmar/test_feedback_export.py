from __future__ import annotations

import csv
import json
from dataclasses import replace

from hmar.adapters.memory import MemoryCatalogue, MemoryFeedbackStore
from hmar.feedback_export import all_judgements, labels, qrels, table, topics
from hmar.values.feedback import FeedbackQuery, Judgement, KeptJudgement, Verdict
from hmar.values.geometry import Box
from tests.contract.examples import ORIGIN, encoded

QUERY = FeedbackQuery("1.1", None, 2, (Box(1.0, 2.0, 3.5, 4.0),))
FILE = FeedbackQuery(None, "ab" * 32)
ONE = Judgement(QUERY, "default", "default", "2.1", 1, None, "relevant", "anna", 0.0)


def kept(*judgements: Judgement) -> list[KeptJudgement]:
    return [KeptJudgement(seq, one, "2", frozenset()) for seq, one in enumerate(judgements, start=1)]


def said(verdict: Verdict, actor: str, **changes: object) -> Judgement:
    return replace(ONE, verdict=verdict, actor=actor, **changes)  # type: ignore[arg-type]


def test_qrels_have_a_line_for_each_topic_and_frame_by_what_most_people_said() -> None:
    judgements = kept(
        said("relevant", "anna"),
        said("not_relevant", "ben"),
        said("not_relevant", "anna", sop_instance_uid="3.1"),
        said("not_relevant", "ben", sop_instance_uid="3.1", frame_number=2),
        said("not_relevant", "ben", query=FILE, query_collection=None),
    )
    expected = [
        f"{QUERY.topic} 0 2.1/1 1\n",
        f"{QUERY.topic} 0 3.1/1 0\n",
        f"{QUERY.topic} 0 3.1/2 0\n",
        f"{FILE.topic} 0 2.1/1 0\n",
    ]
    assert sorted(qrels(judgements)) == sorted(expected)
    three = kept(*(said("not_relevant", name) for name in "ab"), said("relevant", "c"))
    assert list(qrels(three)) == [f"{QUERY.topic} 0 2.1/1 0\n"]


def test_topics_say_what_was_looked_for_once_each() -> None:
    lines = list(topics(kept(ONE, said("relevant", "ben"), said("relevant", "a", query=FILE))))
    told = {line["topic"]: line for line in map(json.loads, lines)}
    assert len(lines) == 2
    assert told[QUERY.topic] == {
        "topic": QUERY.topic,
        "sop_instance_uid": "1.1",
        "file_sha256": None,
        "frame_number": 2,
        "regions": [[1.0, 2.0, 3.5, 4.0]],
    }
    assert told[FILE.topic]["file_sha256"] == "ab" * 32


def test_the_table_has_every_judgement() -> None:
    boxed = said("relevant", "anna, of radiology", box=Box(1.0, 2.0, 3.0, 4.0))
    [row] = csv.DictReader(table(kept(boxed)))
    assert (row["actor"], row["box"]) == ("anna, of radiology", "[1.0, 2.0, 3.0, 4.0]")
    assert (row["query_sop_instance_uid"], row["query_file_sha256"], row["query_frame_number"]) == (
        "1.1",
        "",
        "2",
    )
    assert row["at"] == "1970-01-01T00:00:00.000+00:00"


def test_labels_leave_out_what_would_have_two() -> None:
    judgements = kept(
        said("relevant", "anna"),
        said("relevant", "ben"),
        said("relevant", "anna", sop_instance_uid="3.1"),
        said("not_relevant", "ben", sop_instance_uid="3.1"),
        said("not_relevant", "ben", sop_instance_uid="4.1"),
    )
    both: dict[Verdict, str] = {"relevant": "nodule, proven", "not_relevant": "other"}
    assert labels(judgements, both) == (
        ["sop_instance_uid,label\n", '2.1,"nodule, proven"\n', "4.1,other\n"],
        1,
    )
    assert labels(judgements, {"relevant": "x"}) == (["sop_instance_uid,label\n", "2.1,x\n", "3.1,x\n"], 0)


def test_all_judgements_are_read_page_by_page() -> None:
    catalogue = MemoryCatalogue()
    catalogue.append("default", [encoded(f"2.{number}") for number in range(7)], ORIGIN)
    feedback = MemoryFeedbackStore(catalogue)
    by_file = replace(ONE, query=FILE, query_collection=None)
    feedback.add([replace(by_file, sop_instance_uid=f"2.{number}") for number in range(7)])
    assert [one.seq for one in all_judgements(feedback, page=3)] == [*range(1, 8)]

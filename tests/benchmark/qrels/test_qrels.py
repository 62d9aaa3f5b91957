from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.qrels.files import Topic, read_qrels, read_topics
from benchmark.qrels.run import run_qrels
from benchmark.types import silent
from hmar.errors import DecodeError, NotFoundError
from tests.phantoms import sop_uid
from tests.service.conftest import Archive, build_archive, fill


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return fill(build_archive(tmp_path_factory.mktemp("home")))


def judged(**verdicts: bool) -> dict[str, bool]:
    return {f"{sop_uid(int(name[1]), int(name[2]))}/1": good for name, good in verdicts.items()}


TOPIC = Topic("t", sop_uid(1, 2), 1, ())


def test_neighbouring_slices_are_found_before_those_of_others(archive: Archive) -> None:
    qrels = {"t": judged(f11=True, f13=True, f31=False, f32=False)}
    [row] = run_qrels(archive.engine, [TOPIC], qrels, "global", [128], silent)
    assert (row["macro_map"], row["p_at_10"], row["queries"]) == (1.0, 1.0, 1)
    qrels = {"t": judged(f11=False, f13=False, f31=True)}
    [row] = run_qrels(archive.engine, [TOPIC], qrels, "global", [128], silent)
    assert row["macro_map"] == pytest.approx(1 / 3)


def test_what_is_relevant_and_not_found_counts(archive: Archive) -> None:
    qrels = {"t": judged(f11=True) | {"1.2.3/1": True}}
    [row] = run_qrels(archive.engine, [TOPIC], qrels, "global", [64], silent)
    assert row["macro_map"] == 0.5


def test_topics_by_files_are_left_out_and_counted(archive: Archive) -> None:
    qrels = {"t": judged(f11=True), "u": judged(f11=True)}
    by_file = Topic("u", None, 1, ())
    [row] = run_qrels(archive.engine, [TOPIC, by_file], qrels, None, [128], silent)
    assert (row["queries"], row["left_out"]) == (1, 1)
    with pytest.raises(NotFoundError, match="No topic"):
        run_qrels(archive.engine, [by_file], qrels, None, [128], silent)


def test_files_are_read_and_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    topics, qrels = tmp_path / "topics.jsonl", tmp_path / "qrels.txt"
    told = {"topic": "t", "sop_instance_uid": "1.1", "frame_number": 2, "regions": [[1, 2, 3, 4]]}
    topics.write_text(json.dumps(told) + "\n")
    qrels.write_text("t 0 1.1/1 1\nt 0 1.2/1 0\n")
    assert read_topics(topics) == [Topic("t", "1.1", 2, ((1.0, 2.0, 3.0, 4.0),))]  # type: ignore[arg-type]
    assert read_qrels(qrels) == {"t": {"1.1/1": True, "1.2/1": False}}
    topics.write_text("{}\n")
    qrels.write_text("t 0 1.1/1 1\nt 0\n")
    with pytest.raises(DecodeError, match=r"Line 1 of topics\.jsonl"):
        read_topics(topics)
    with pytest.raises(DecodeError, match=r"Line 2 of qrels\.txt"):
        read_qrels(qrels)

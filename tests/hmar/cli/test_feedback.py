from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hmar.cli import main
from hmar.config import Settings
from hmar.relabelling import labels_of_table
from hmar.values.deletion import Selector
from hmar.values.feedback import FeedbackQuery, Judgement
from hmar.wiring import build_engine
from tests.contract.examples import ORIGIN, encoded

Hmar = Callable[..., Result]
QUERY = FeedbackQuery("1.1", None)


@pytest.fixture
def hmar(tmp_path: Path) -> Hmar:
    home = tmp_path / "home"
    engine = build_engine(Settings(home=home).checked())
    engine.catalogue.append("default", [encoded(f"1.{number}") for number in (1, 2, 3)], ORIGIN)
    engine.feedback.add(
        [
            Judgement(QUERY, "default", "default", "1.2", 1, None, "relevant", "anna", 1.0),
            Judgement(QUERY, "default", "default", "1.3", 1, None, "not_relevant", "anna", 1.0),
        ]
    )
    engine.close()
    return lambda *words: CliRunner(env={"HMAR_HOME": str(home)}).invoke(main, ["feedback", *map(str, words)])


def test_qrels_and_topics_are_written_for_the_owner_alone(hmar: Hmar, tmp_path: Path) -> None:
    file, topics = tmp_path / "qrels.txt", tmp_path / "topics.jsonl"
    assert hmar("export", "--topics", topics, file).exit_code == 0
    assert file.read_text() == f"{QUERY.topic} 0 1.2/1 1\n{QUERY.topic} 0 1.3/1 0\n"
    assert f'"topic": "{QUERY.topic}"' in topics.read_text()
    assert {path.stat().st_mode & 0o777 for path in (file, topics)} == {0o600}


def test_a_table_goes_to_standard_output(hmar: Hmar) -> None:
    lines = hmar("export", "--format", "csv", "-").stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("seq,topic,")


def test_labels_are_what_a_change_of_labels_reads(hmar: Hmar, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    result = hmar("labels", "--topic", QUERY.topic, "--relevant", "nodule", "--not-relevant", "other", file)
    assert (result.exit_code, result.stderr) == (0, "2 labels; 0 instances with two are left out.\n")
    assert labels_of_table(file.read_bytes()) == {
        Selector("instance", "1.2"): "nodule",
        Selector("instance", "1.3"): "other",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["labels", "--topic", "0", "--relevant", "x", "-"], "no judgements of topic '0'"),
        (["labels", "--relevant", " ", "-"], "label"),
    ],
)
def test_what_cannot_be_written_is_said(hmar: Hmar, words: list[str], said: str) -> None:
    result = hmar(*words)
    assert result.exit_code != 0
    assert said in result.output

"""An injected fault counts as reported, as believed (a wrong answer and no report) or as without effect."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmark.trust.faults import KNOWN_LIMITS, _failures, _one_of_each, _outcome, harms
from benchmark.trust.faults.harms import CONTENT, Victim
from benchmark.trust.faults.kinds import Fault, faults
from benchmark.trust.faults.templates import make
from benchmark.trust.faults.trials import BY_A_COPY, BY_NOTHING, Archives, Verdict, harmed


def database(home: Path) -> Path:
    return home / "catalogue.db"


@pytest.mark.parametrize("name", CONTENT)
def test_every_harm_changes_the_file(tmp_path: Path, name: str) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    content = bytes(range(1, 201))
    path.write_bytes(content)
    other.write_bytes(b"other")
    CONTENT[name](Victim(path, other, random.Random(1)))
    assert not path.is_file() or path.read_bytes() != content
    assert other.read_bytes() == b"other"


def test_a_flipped_bit_is_one_bit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = bytes(200)
    path.write_bytes(content)
    harms.flip(Victim(path, path, random.Random(1)))
    assert sum(byte.bit_count() for byte in path.read_bytes()) == 1


def test_there_are_sixty_faults_and_more_and_the_short_form_has_each_kind() -> None:
    found = faults()
    assert len(found) >= 60
    assert len({(fault.kind, fault.harm) for fault in found}) == len(found)
    kinds = {fault.kind for fault in found}
    for seed in (0, 1):
        assert {fault.kind for fault in _one_of_each(found, seed)} == kinds
    assert _one_of_each(found, 0) != _one_of_each(found, 1)


@pytest.mark.slow
def test_what_is_told_and_what_is_believed(tmp_path: Path) -> None:
    before = tmp_path / "before"
    archives = Archives(before, before, make(str(before), 0))

    def verdict(fault: Fault) -> Verdict:
        folder = tmp_path / "fault"
        folder.mkdir()
        return harmed(fault, archives, folder, seed=0)

    reported = verdict(Fault("database", "cut in half", database, harms.truncate))
    assert (reported.reported, reported.believed, reported.crashed) == (True, [], [])
    assert reported.mended == BY_A_COPY

    lied = Archives(before, before, dict.fromkeys(archives.pixels, "other pixels"))
    folder = tmp_path / "lied"
    folder.mkdir()
    silent = Fault("image", "touched", lambda home: home / "import/album/s1-1.dcm", lambda _victim: None)
    believed = harmed(silent, lied, folder, seed=0)
    assert not believed.reported
    assert "other pixels" in believed.believed[0]
    assert believed.mended == BY_NOTHING
    assert any("believed" in text for text in _failures(silent, believed))
    assert _outcome([(silent, believed)]).summary["believed"] == 1


def test_a_crash_and_what_nothing_mends_are_failures() -> None:
    fault = Fault("database", "cut in half", database, harms.truncate)
    crashed = Verdict(reported=False, believed=[], crashed=["KeyError: 1"], mended=BY_NOTHING, words="")
    assert len(_failures(fault, crashed)) == 2
    sound = Verdict(reported=True, believed=[], crashed=[], mended=BY_A_COPY, words="said")
    outcome = _outcome([(fault, sound), (fault, crashed)])
    assert (outcome.summary["injected"], outcome.summary["reported"]) == (2, 1)
    assert outcome.rows[0]["for example"] == "said"


def test_commits_lost_with_their_log_are_no_failure_only_where_the_manual_says_so() -> None:
    lost = Verdict(reported=False, believed=[], crashed=[], mended=BY_A_COPY, words="", lost=["fewer frames"])
    log = Fault("write-ahead log", "removed", database, harms.remove)
    assert _failures(log, lost) == []
    assert _outcome([(log, lost)]).summary["lost, not reported"] == 1
    assert _outcome([(log, lost)]).summary["without effect"] == 0
    other = Fault("database", "removed", database, harms.remove)
    assert _failures(other, lost) == ["database, removed: lost, not reported: fewer frames"]
    manual = " ".join(Path("docs/operations.md").read_text("utf-8").split())
    assert all(text in manual for text in KNOWN_LIMITS.values())

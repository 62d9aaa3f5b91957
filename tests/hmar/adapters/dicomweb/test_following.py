"""How a PACS is followed, as its file says; what it has no more; and what no Orthanc would answer."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hmar.adapters.dicomweb import PacsSource, read_sites
from hmar.errors import ConfigError, PacsError
from hmar.values.follows import Follow
from hmar.values.pulls import InstanceReference, Pull
from tests.orthanc_stub import StubOrthanc
from tests.pacs import Habits, Pacs, held
from tests.phantoms import ct_file

FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]
FIRST = [InstanceReference("main", *held(data)[:3]) for data in FILES[:3]]
"""A study of one series."""


def source(pacs: Pacs, folder: Path, follow: str = 'kind = "qido"') -> PacsSource:
    file = folder / "pacs.toml"
    file.write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1\n[main.follow]\n{follow}')
    return PacsSource(read_sites(file), sleep=lambda _: None, today=lambda: date(2026, 1, 1))


def follow_of(folder: Path, text: str) -> Follow:
    (folder / "pacs.toml").write_text(f'[main]\nroot = "https://a"\n[main.follow]\n{text}')
    [follow] = PacsSource(read_sites(folder / "pacs.toml")).follows()
    return follow


def test_what_the_file_says_of_following_is_read(tmp_path: Path) -> None:
    assert follow_of(tmp_path, 'kind = "qido"') == Follow("qido", Pull("main"))
    text = (
        'kind = "orthanc"\nroot = "https://a//orthanc/"\ncollection = "lung"\nmodality = "CT"\n'
        "since = 2026-01-02\nevery_s = 2.5\nsweep_s = 60\nmost_deleted = 0"
    )
    assert follow_of(tmp_path, text) == Follow(
        "orthanc",
        Pull("main", modality="CT", since=date(2026, 1, 2)),
        "https://a/orthanc",
        "lung",
        every_s=2.5,
        sweep_s=60.0,
        most_deleted=0.0,
    )
    assert follow_of(tmp_path, 'kind = "qido"\nsince = "2026-01-02"').pull.since == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "main.follow has None as kind"),
        ('kind = "dimse"', "'dimse' as kind"),
        ('kind = "orthanc"', "None as root of ORTHANC"),
        ('kind = "orthanc"\nroot = "http://elsewhere"', "unencrypted"),
        ('kind = "orthanc"\nroot = "https://a"\ndays = 2', "'days'"),
        ('kind = "qido"\nroot = "https://a"', "'root'"),
        ('kind = "qido"\ndays = 1.5', "1.5 as days"),
        ('kind = "qido"\ndays = 40000', "40000 as days"),
        ('kind = "qido"\nevery_s = 0', "0 as every_s"),
        ('kind = "qido"\nmost_deleted = 1.5', "1.5 as most_deleted"),
        ('kind = "qido"\nmost_deleted = true', "True as most_deleted"),
        ('kind = "qido"\ncollection = "a b"', "'a b'"),
        ('kind = "qido"\nmodality = 3', "The modality is 3"),
        ('kind = "qido"\nsince = 3', "A study date is 3"),
        ('kind = "qido"\nsince = 2026-01-02T10:00:00', "A study date is"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        follow_of(tmp_path, text)
    (tmp_path / "pacs.toml").write_text('[main]\nroot = "https://a"\nfollow = 3')
    with pytest.raises(ConfigError, match=r"main\.follow is no table"):
        read_sites(tmp_path / "pacs.toml")


def test_what_a_pacs_has_no_more_is_told_by_study_series_and_instance(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        found = source(pacs, tmp_path)
        elsewhere = FIRST[0]._replace(series_uid="1.2.3")
        assert found.gone([*FIRST, elsewhere]) == {elsewhere}
        pacs.files = pacs.files[1:]
        assert found.gone(FIRST) == {FIRST[0]}
        pacs.files = pacs.files[2:]
        assert found.gone(FIRST) == set(FIRST)
        assert found.gone([]) == set()


def test_a_server_that_looks_at_no_key_of_a_query_is_understood(tmp_path: Path) -> None:
    class Keyless(Pacs):
        def rows(self, path: list[str], query: dict[str, str]) -> list[dict[str, Any]]:
            kept = {name: value for name, value in query.items() if name in ("limit", "offset")}
            return Pacs.rows(self, path, kept)

    with Keyless.serving(FILES) as pacs:
        found = source(pacs, tmp_path)
        elsewhere = FIRST[0]._replace(series_uid="1.2.3")
        assert found.gone([*FIRST, elsewhere]) == {elsewhere}


def test_what_a_server_may_keep_back_is_not_gone(tmp_path: Path) -> None:
    """A silent cap of 100 rows, by a server that tells no counts."""

    class Capped(Pacs):
        keyless = True

        def rows(self, path: list[str], query: dict[str, str]) -> list[dict[str, Any]]:
            asked = {**query, "offset": "0", "limit": "1000"}
            if self.keyless:
                asked = {"offset": "0", "limit": "1000"}
            listed = [
                {tag: value for tag, value in row.items() if tag != "00201209"}
                for row in Pacs.rows(self, path, asked)
            ]
            return listed[:100][int(query["offset"]) :][: int(query["limit"])]

    with Capped.serving(FILES[:1]) as pacs:
        file = pacs.files[0]
        pacs.files = [file._replace(instance=f"1.2.{number:03}") for number in range(150)]
        found = source(pacs, tmp_path)
        last = InstanceReference("main", file.study, file.series, "1.2.149")
        gone = last._replace(sop_instance_uid="1.2.200")
        assert found.gone([last, gone]) == set()
        pacs.keyless = False
        assert found.gone([last, gone]) == {gone}


def test_fewer_than_the_pacs_says_to_have_are_no_reason_to_delete(tmp_path: Path) -> None:
    with Pacs.serving(FILES[:2], Habits(says_more=1)) as pacs:
        assert source(pacs, tmp_path).gone(FIRST) == set()


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b"{}",
        json.dumps({"Changes": 3, "Done": True, "Last": 1}).encode(),
        json.dumps({"Changes": [{"Seq": "one"}], "Done": True, "Last": 1}).encode(),
        json.dumps({"Changes": [3], "Done": True, "Last": 1}).encode(),
        json.dumps({"Changes": [], "Done": True, "Last": None}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_no_orthanc_answers_is_refused(answer: bytes, tmp_path: Path) -> None:
    with StubOrthanc.serving([]) as orthanc:
        found = source(orthanc, tmp_path, f'kind = "orthanc"\nroot = "{orthanc.url}"')
        orthanc.rest = lambda *_: answer  # type: ignore[method-assign]
        [follow] = found.follows()
        with pytest.raises(PacsError, match="does not answer as an Orthanc"):
            found.feed(follow).end()


def test_another_root_than_that_of_orthanc_is_said(tmp_path: Path) -> None:
    with StubOrthanc.serving([]) as orthanc:
        found = source(orthanc, tmp_path, f'kind = "orthanc"\nroot = "{orthanc.url}/elsewhere"')
        orthanc.rest = lambda *_: None  # type: ignore[method-assign]
        [follow] = found.follows()
        with pytest.raises(PacsError, match=r"root in \[main.follow\]|as root in \[main.follow\]"):
            found.feed(follow).end()


def test_resources_with_names_that_are_none_are_left_out(tmp_path: Path) -> None:
    """Names stand in addresses, and come from outside."""
    with StubOrthanc.serving(FILES[:1]) as orthanc:
        found = source(orthanc, tmp_path, f'kind = "orthanc"\nroot = "{orthanc.url}"')
        [follow] = found.follows()
        rows = [{"Seq": 1, "ChangeType": "NewInstance", "ID": "../tools/shutdown"}]
        orthanc.rest = lambda path, _: (  # type: ignore[method-assign]
            json.dumps({"Changes": rows, "Done": True, "Last": 1}).encode() if path == ["changes"] else b"{}"
        )
        [news] = found.feed(follow).news("0")
        assert (news.arrived, news.cursor) == ([], "1")
        assert not any("shutdown" in path for path in orthanc.asked)

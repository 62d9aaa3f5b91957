"""``hmar reindex`` and ``hmar models``, where no product runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hmar.encoder import shipped_bundle
from hmar.thumbnail import ThumbnailEncoder
from tests.hmar.cli.test_commands import hmar, home, study
from tests.phantoms import ct_file

__all__ = ["home", "study"]

SHIPPED = "hmar-ct-128"
BASELINE = ThumbnailEncoder()


def roles(home: Path) -> dict[str, tuple[str, int, int]]:
    listed = hmar(home, "models", "list", "--json")
    assert listed.exit_code == 0, listed.output
    return {one["name"]: (one["role"], one["frames"], one["missing"]) for one in json.loads(listed.stdout)}


@pytest.mark.slow
def test_an_archive_moves_and_the_old_model_is_removed(home: Path, study: Path) -> None:
    assert hmar(home, "index", study, "--label", "seen").exit_code == 0
    assert roles(home)[BASELINE.name] == ("used", 4, 0)
    (study / "4.dcm").rename(study / "away")
    first = hmar(home, "reindex", "--model", shipped_bundle(), "--json")
    told = json.loads(first.stdout)
    assert (first.exit_code, told["frames"], told["missing"]) == (1, 3, 1)
    assert [failure["reference"] for failure in told["failures"]] == ["4.dcm"]
    refused = hmar(home, "models", "use", SHIPPED)
    assert (refused.exit_code, "--accept-missing 1" in refused.stderr) == (2, True)
    (study / "away").rename(study / "4.dcm")
    second = hmar(home, "reindex", "--model", SHIPPED)
    assert (second.exit_code, "0 missing" in second.stdout) == (0, True), second.output
    assert roles(home)[SHIPPED] == ("next", 4, 0)
    found = json.loads(hmar(home, "search", study / "1.dcm", "--json").stdout)
    assert {hit["model"] for hit in found["hits"]} == {BASELINE.name}
    used = hmar(home, "models", "use", SHIPPED)
    assert (used.exit_code, SHIPPED in used.stdout) == (0, True)
    found = json.loads(hmar(home, "search", study / "1.dcm", "--label", "seen", "--json").stdout)
    assert [hit["model"] for hit in found["hits"]] == [SHIPPED] * 4
    assert found["unindexed_frames"] == 0
    in_use = hmar(home, "models", "remove", SHIPPED)
    assert (in_use.exit_code, "models use" in in_use.stderr) == (2, True)
    removed = hmar(home, "models", "remove", BASELINE.fingerprint[:10])
    assert "Removed 4 frames" in removed.stdout
    assert roles(home)[BASELINE.name] == ("kept", 0, 4)


def test_frames_that_were_left_behind_are_told_with_a_search(home: Path, study: Path) -> None:
    assert hmar(home, "index", study).exit_code == 0
    assert hmar(home, "models", "use", SHIPPED, "--accept-missing", "4").exit_code == 0
    nothing = hmar(home, "search", study / "1.dcm")
    assert (nothing.exit_code, "Of 4 frames none is indexed" in nothing.stderr) == (2, True)
    (study / "9.dcm").write_bytes(ct_file(2, 9))
    assert hmar(home, "index", study / "9.dcm").exit_code == 0
    found = hmar(home, "search", study / "1.dcm")
    assert (found.exit_code, "4 frames are not indexed under hmar-ct-128" in found.stderr) == (0, True)


def test_the_list_is_a_table_and_a_wrong_name_is_refused(home: Path) -> None:
    listed = hmar(home, "models", "list")
    assert listed.stdout.splitlines()[0].split() == [
        "fingerprint",
        "name",
        "role",
        "installed",
        "frames",
        "missing",
    ]
    assert BASELINE.fingerprint in listed.stdout
    for arguments in (("models", "use", "nothing"), ("models", "remove", "x"), ("reindex", "--model", "y")):
        refused = hmar(home, *arguments)
        assert (refused.exit_code, "hmar models list" in refused.stderr) == (2, True), arguments


def test_a_folder_that_is_no_model_is_not_installed(home: Path, study: Path) -> None:
    assert hmar(home, "models", "install", study).exit_code == 3
    installed = hmar(home, "models", "install", shipped_bundle())
    assert installed.stdout.split()[1] == SHIPPED

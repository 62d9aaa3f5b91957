import json

import pytest

from benchmark.typicality.people import people_digest
from benchmark.typicality.run import run_typicality
from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, ParameterError
from hmar.model.bundle import read_info
from tests.benchmark.lesions.folders import CHOOSE, REPORT, write_people, write_person

pytestmark = pytest.mark.slow


def quiet(what, done, total):
    assert 0 < done <= total


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), CHOOSE[:2] + REPORT[:2], slices=2)


@pytest.fixture(scope="module")
def rows(folder):
    return run_typicality([folder], None, 1, "names", quiet)


def of(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_every_rule_is_measured_on_slices_and_pictures_frames_and_regions(rows):
    shown = {"people", "white noise", "coloured noise", "waves", "blocks", "specks", "page", "captions"}
    shown |= {"photographs"}
    inside = {f"{group} within a slice" for group in ("noise", "text", "photographs")}
    inside |= {f"{kind}, its box" for kind in inside}
    for name in ("model", "one-percent", "refitted"):
        for scope in ("frame", "region", "region alone"):
            of_slices = of(rows, name=name, scope=scope, direction="CT")
            assert {row["shown"] for row in of_slices} == shown | inside
            of_pictures = of(rows, name=name, scope=scope, direction="CT as pictures")
            assert {row["shown"] for row in of_pictures} == shown
    assert all(row.keys() == rows[0].keys() for row in rows)
    json.dumps(rows, allow_nan=False)


def test_noise_and_text_are_told_and_these_people_are_not_marked(rows):
    for kind in ("white noise", "page"):
        for row in of(rows, name="model", scope="frame", shown=kind):
            assert row["marked"] == 1
    (row,) = of(rows, name="model", scope="frame", shown="people", people="all", direction="CT")
    assert (row["marked"], row["clusters"], row["frames"]) == (0, 4, 8)


def test_rows_say_what_was_measured_and_name_nobody(rows, folder):
    info = read_info(shipped_bundle())
    for row in rows:
        assert (row["protocol"], row["model_fingerprint"]) == ("typicality", info.fingerprint)
        assert (row["data"], row["split"]) == (people_digest([folder]), "names")
    for name in CHOOSE + REPORT:
        assert f'"{name}"' not in json.dumps([{**row, "people": ""} for row in rows])


def test_a_half_with_too_few_people_is_refused(tmp_path):
    write_people(tmp_path, CHOOSE[:2], slices=1)
    write_person(tmp_path, REPORT[0], 9, slices=1)
    with pytest.raises(ParameterError, match='1 people in the half "report" have CT'):
        run_typicality([tmp_path], None, 1, "names", quiet)


def test_the_baseline_cannot_be_measured(tmp_path):
    with pytest.raises(ConfigError, match="cannot tell what is typical"):
        run_typicality([tmp_path], None, 1, "names", quiet, model_dir="thumbnail")

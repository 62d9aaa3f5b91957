import json

import numpy as np
import pytest
import torch

from benchmark.lesions.archive import OTHERS, OWN, TOGETHER
from benchmark.lesions.data import folders_digest
from benchmark.lesions.peers import LESION_PEERS, MODEL, select_lesion_peers
from benchmark.lesions.run import run_lesions
from hmar.encoder import shipped_bundle
from hmar.errors import ParameterError
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.bundle import read_info
from tests.benchmark.lesions.folders import CHOOSE, REPORT, write_people, write_person

pytestmark = pytest.mark.slow


def quiet(what, done, total):
    assert 0 < done <= total


def published():
    torch.manual_seed(0)
    return Lite0Backbone().eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = write_people(tmp_path_factory.mktemp("people"), CHOOSE[:2] + REPORT[:2])
    for series, name in ((7, CHOOSE[0]), (8, CHOOSE[1])):
        write_person(root, name, series, slices=3, modality="MR", first=100)
    return root


@pytest.fixture(scope="module")
def rows(folder):
    return run_lesions([folder], ["all"], [64, 128], "all", quiet, published)


def of(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_every_peer_answers_both_questions_in_every_archive(rows):
    lengths = {peer: 1 if peer in ("thumbnail", "cells") else 2 for peer in LESION_PEERS}
    count = 2 * (sum(lengths.values()) + 2)  # both questions; chance and the middle beside the peers
    # MR is there for one half alone, so that the other searches CT and both, and there is no MR of both.
    directions = {"CT, choose", "CT, report", "CT, all", "MR, choose", "together, choose", "together, report"}
    directions.add("together, all")
    assert {row["direction"] for row in rows} == directions
    for direction in directions:
        assert len(of(rows, direction=direction)) == count
    json.dumps(rows, allow_nan=False)
    for row in rows:
        assert row.keys() == rows[0].keys()
        assert (row["bits"] > 0) != (
            row["floats"] > 0 or row["name"] in ("thumbnail", "cells", "chance", "centre")
        )


def test_queries_of_both_halves_are_the_mean_over_all_people(rows):
    for protocol in (OWN, OTHERS):
        for row in of(rows, protocol=protocol, modality="CT", people="all"):
            same = {key: row[key] for key in ("name", "bits", "floats", "protocol", "modality")}
            parts = [of(rows, people=half, **same)[0] for half in ("choose", "report")]
            for name in ("macro_map", "share", "p_at_3"):
                assert row[name] == pytest.approx(np.mean([part[name] for part in parts]))
            assert row["clusters"] == 4 == sum(part["clusters"] for part in parts)
            assert row["queries"] == sum(part["queries"] for part in parts)
            # The middle one of three slices has only neighbours.
            assert row["queries"] == (8 if protocol == OWN else 12)
            assert row["gallery"] == [8, 8]


def test_rows_say_how_they_compare_and_what_was_measured(rows, folder):
    info = read_info(shipped_bundle())
    for row in rows:
        assert row["data"] == folders_digest([folder])
        of_model = row["name"] in (MODEL, f"{MODEL}-floats", "global", "global-floats", "permuted")
        assert (row["model_fingerprint"] == info.fingerprint) == of_model
        chance = of(rows, name="chance", protocol=row["protocol"], direction=row["direction"])[0]
        if chance["macro_map"]:
            assert row["over_chance"]["macro_map"] == pytest.approx(row["macro_map"] / chance["macro_map"])
        if row["name"] == MODEL and row["queries"]:
            floats = of(
                rows,
                name=f"{MODEL}-floats",
                floats=row["bits"],
                protocol=row["protocol"],
                direction=row["direction"],
            )[0]
            kept = row["share"] / floats["share"] if floats["share"] else None
            assert row["kept_of_floats"]["share"] == (kept if kept is None else pytest.approx(kept))
            itq = of(
                rows, name="cells-itq", bits=row["bits"], protocol=row["protocol"], direction=row["direction"]
            )[0]
            assert row["difference_to"]["cells-itq"]["share"][0] == pytest.approx(row["share"] - itq["share"])
            assert set(row["difference_to"]) == {"cells-itq", "thumbnail"}
    assert of(rows, modality=TOGETHER)


def test_no_row_names_a_person(rows):
    text = json.dumps([{key: row[key] for key in row if key not in ("people", "direction")} for row in rows])
    for name in CHOOSE + REPORT:
        assert f'"{name}"' not in text


def test_a_tumour_is_found_on_its_other_slices_far_above_chance(rows):
    for name in ("cells", MODEL):
        for row in of(rows, name=name, protocol=OWN, direction="CT, all"):
            chance = of(rows, name="chance", protocol=OWN, direction="CT, all")[0]
            # Among the first three: lesions of all phantoms are alike, and the first may be another one's.
            assert row["p_at_3"] > 2 * chance["p_at_3"]


def test_a_half_that_has_too_few_people_is_refused(tmp_path):
    with pytest.raises(ParameterError, match='0 of 3 people are in the half "report"'):
        run_lesions([write_people(tmp_path, CHOOSE)], ["thumbnail"], [64], "choose", quiet, published)
    write_person(tmp_path, REPORT[0], 9)
    with pytest.raises(ParameterError, match='1 of 4 people are in the half "report"'):
        run_lesions([tmp_path], ["thumbnail"], [64], "all", quiet, published)
    rows = run_lesions([tmp_path], ["thumbnail"], [64], "choose", quiet, published)
    assert {row["people"] for row in rows} == {"choose"}


@pytest.mark.parametrize(
    ("peers", "bits"), [(["nobody"], [64]), ([], [64]), (["cells"], [32]), (["cells"], [])]
)
def test_unknown_peers_and_lengths_are_refused_before_anything_is_read(tmp_path, peers, bits):
    with pytest.raises(ParameterError):
        run_lesions([tmp_path / "nowhere"], peers, bits, "all", quiet, published)


def test_all_names_every_peer_once_in_the_order_of_the_table():
    assert select_lesion_peers(["all"]) == list(LESION_PEERS.values())
    assert select_lesion_peers([MODEL, "cells"]) == [LESION_PEERS["cells"], LESION_PEERS[MODEL]]

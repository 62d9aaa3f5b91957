"""The region protocol over many volumes: whose are paired, what is drawn, and means over people."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.region.coding import fit_code
from benchmark.region.describing import FLOAT, Cost, describe_gallery, describe_queries, fit_codes
from benchmark.region.features import cells_feature
from benchmark.region.networks import Networks
from benchmark.region.peers import MODEL, REGION_PEERS, select_region_peers
from benchmark.region.people import kept_of_floats, people_rows
from benchmark.region.planes import SIDES, planes_of, windows_of
from benchmark.region.queries import gallery_labels, select_queries
from benchmark.region.scoring import make_side, score_size
from benchmark.region.volumes import LEARNT, labelled_pair, load_folder, load_scans
from hmar.encoder import shipped_bundle
from hmar.errors import DecodeError, NotFoundError, ParameterError
from hmar.model.weights import load_bundle
from tests.benchmark.region.ct_volumes import NAMES, quiet, scan_of, volume, whole_root, write_nifti

pytestmark = pytest.mark.slow


def scan(name, seed, person="", **kept):
    return scan_of(volume(name, seed), person, **kept)


@pytest.fixture(scope="module")
def networks():
    torch.set_num_threads(1)
    network = load_bundle(shipped_bundle()).network
    return [Networks(network, network, lambda volume, variant: network)]


@pytest.fixture(scope="module")
def scans():
    return [scan("a", 0), scan("b", 3), scan("b2", 5, "b"), scan("c", 7)]


@pytest.fixture(scope="module")
def rows(scans, networks):
    peers = select_region_peers(["random", "cells", "cells-itq", MODEL, f"{MODEL}-floats", "permuted"])
    return kept_of_floats(people_rows(scans, peers, [64], networks, quiet), peers)


def of(rows, name):
    return {row["direction"]: row for row in rows if row["name"] == name}


def test_volumes_of_one_person_are_never_looked_for_in_each_other(rows):
    directions = {"a->b", "b->a", "a->b2", "b2->a", "a->c", "c->a", "b->c", "c->b", "b2->c", "c->b2"}
    named = {"mean", "people", "people without a", "people without b", "people without c"}
    for name in ("random", "cells", MODEL):
        assert set(of(rows, name)) == directions | named


def test_the_first_two_volumes_have_the_rows_that_they_have_by_themselves(rows, scans, networks):
    alone = people_rows(scans[:2], select_region_peers(["cells-itq"]), [64], networks, quiet)
    assert [row["direction"] for row in alone] == ["a->b", "b->a", "mean", "people"]
    for row in alone[:3]:
        own = of(rows, "cells-itq")[row["direction"]]
        assert {key: own[key] for key in row if key != "ms_per_window"} == {
            key: row[key] for key in row if key != "ms_per_window"
        }


def test_everybody_counts_the_same_however_many_volumes_there_are(rows):
    found = of(rows, "cells")
    for key in ("macro_map", "p_at_3", "p_at_10", "iou"):
        value = {direction: row[key] for direction, row in found.items()}
        people = [
            np.mean([value["a->b"], value["a->b2"], value["a->c"]]),
            np.mean([value["b->a"], value["b2->a"], value["b->c"], value["b2->c"]]),
            np.mean([value["c->a"], value["c->b"], value["c->b2"]]),
        ]
        assert value["people"] == pytest.approx(np.mean(people))
        assert value["people without b"] == pytest.approx(np.mean([value["a->c"], value["c->a"]]))
        if key == "macro_map":
            interval = bootstrap_means(np.array(people)[:, None])
            assert found["people"]["ci95"] == pytest.approx([interval.low, interval.high])
    assert (found["people"]["clusters"], found["people"]["ci95_unit"]) == (3, "people")
    assert (found["a->b"]["clusters"], found["a->b"]["ci95_unit"]) == (2, "structures")
    assert found["people without b"]["clusters"] == 2
    assert found["people"]["queries"] == sum(row["queries"] for d, row in found.items() if "->" in d)


def test_what_the_bits_keep_is_the_codes_figure_over_that_of_its_own_floats(rows):
    for name, floats in ((MODEL, f"{MODEL}-floats"), ("cells-itq", "cells")):
        for direction, row in of(rows, name).items():
            expected = row["macro_map"] / of(rows, floats)[direction]["macro_map"]
            assert row["kept_of_floats"] == pytest.approx(expected)
    assert {row["kept_of_floats"] for row in rows if row["name"] in ("cells", "random")} == {None}
    assert {(row["bits"], row["floats"]) for row in rows if row["name"] == f"{MODEL}-floats"} == {(0, 64)}


def test_shuffled_structures_are_found_as_often_as_by_random_codes(rows):
    chance, model = of(rows, "random")["people"], of(rows, MODEL)["people"]
    shuffled = of(rows, "permuted")["people"]
    assert model["macro_map"] > 3 * chance["macro_map"]
    assert shuffled["macro_map"] == pytest.approx(chance["macro_map"], rel=0.5)


def test_the_floats_of_a_short_code_are_its_own_logits():
    logits = np.random.default_rng(0).standard_normal((4, 128)).astype(np.float32)
    np.testing.assert_array_equal(fit_code("logits", logits, 64, 0)(logits), logits[:, :64])


def test_where_some_structures_are_drawn_other_windows_are_not_in_the_gallery(networks):
    first, second = labelled_pair(scan("a", 0), scan("b", 3, partly=True))
    assert (first.partly, second.partly) == (False, True)
    planes = [planes_of(each, networks[0].frozen, quiet) for each in (first, second)]
    side = make_side("a->b", select_queries(planes[0], 2), *planes, second.partly)
    codes = fit_codes(REGION_PEERS["cells"], cells_feature, planes[0], [64])
    for size, cells in enumerate(SIDES[:2]):
        gallery = describe_gallery(cells_feature, codes, planes[1], cells, Cost(), lambda: None)[FLOAT]
        queries = side.of_size(size)
        described = describe_queries(cells_feature, codes, planes[0], queries)[FLOAT]
        scores = score_size(side, size, described, gallery)
        labels = gallery_labels(planes[1], cells)
        drawn = labels >= 0
        assert 0 < drawn.sum() < len(list(windows_of(planes[1], cells)))
        for index, query in enumerate(queries):
            a = described[index] / np.linalg.norm(described[index])
            cosine = [-float(a @ b) / np.linalg.norm(b) for b in gallery[drawn]]
            right = labels[drawn][np.argsort(cosine, kind="stable")] == query.structure
            precision = np.cumsum(right) / np.arange(1, len(right) + 1)
            assert scores.ap[index] == pytest.approx(precision[right].mean(), abs=1e-4)


def test_parts_become_the_whole_where_the_other_volume_draws_it():
    lobes = scan("a", 0, names={1: "lung_upper_lobe_left", 2: "lung_lower_lobe_left"})
    whole = scan("b", 3, names={1: "lung_left", 2: "spleen"})
    first, second = labelled_pair(lobes, whole)
    assert first.structures == second.structures == ("lung_left",)
    np.testing.assert_array_equal(first.labels == 0, lobes.ids > 0)
    np.testing.assert_array_equal(second.labels == 0, whole.ids == 1)
    again, _ = labelled_pair(lobes, scan("c", 3, names={1: "lung_upper_lobe_left", 2: "spleen"}))
    assert again.structures == ("lung_upper_lobe_left",)


def test_nothing_in_common_is_refused(networks):
    other = scan("b", 3, names={1: "heart"})
    for second in (other, replace(scan("b", 3), person="a")):
        with pytest.raises(ParameterError, match="None of 2 volumes shares a structure"):
            people_rows([scan("a", 0), second], select_region_peers(["random"]), [64], networks, quiet)


def test_the_series_of_the_example_counts_as_the_person_of_its_volume(tmp_path):
    scans = load_scans(whole_root(tmp_path))
    assert [(one.name, one.person) for one in scans] == [
        ("lidc", "lidc"),
        (LEARNT, LEARNT),
        ("ts-dcm", LEARNT),
    ]
    assert scans[2].spacing_mm == pytest.approx((5.0, 1.9, 1.9))
    assert not any(one.partly for one in scans)


def write_person(folder, names=(("value", "name"), (1, "liver"), (2, "spleen"))):
    drawn = volume("a", 0)
    write_nifti(folder / "ct.nii.gz", drawn.values, drawn.spacing_mm)
    write_nifti(folder / "labels.nii.gz", (drawn.labels + 1).astype(np.uint8), drawn.spacing_mm)
    with (folder / "names.csv").open("w", newline="") as file:
        csv.writer(file).writerows(names)
    return drawn


def test_a_folder_of_volumes_is_read_as_partly_drawn(tmp_path):
    drawn = write_person(tmp_path / "organs" / "GEHEIM-4711")
    (read,) = load_folder(tmp_path / "organs")
    assert (read.name, read.person, read.partly, dict(read.names)) == ("organs-1", "organs-1", True, NAMES)
    np.testing.assert_array_equal(read.values, drawn.values)
    np.testing.assert_array_equal(read.ids, drawn.labels + 1)


def test_a_volume_that_cannot_be_read_is_counted_and_not_named(tmp_path):
    with pytest.raises(NotFoundError, match="holds no volume with a mask"):
        load_folder(tmp_path)
    write_person(tmp_path / "GEHEIM-4711", (("id", "structure"), (1, "liver")))
    with pytest.raises(DecodeError, match=r"Volume 1 of 1 in .* cannot be read") as caught:
        load_folder(tmp_path)
    assert "GEHEIM" not in str(caught.value)
    (tmp_path / "GEHEIM-4711" / "ct.nii.gz").unlink()
    with pytest.raises(DecodeError, match=r"Volume 1 of 1"):
        load_folder(tmp_path)

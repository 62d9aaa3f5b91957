"""A run: what stands in its rows, what it keeps, and that one command goes over RadImageNet's own layout."""

from __future__ import annotations

import csv
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from benchmark.accuracy.features import FeatureStore
from benchmark.accuracy.lite0 import Lite0
from benchmark.accuracy.montages import montages
from benchmark.accuracy.protocols import METRICS, PROTOCOLS, check_protocols, make_task
from benchmark.accuracy.quick import IMAGES, SIDES, write_quick
from benchmark.accuracy.run import REFERENCE, Outcome, run_accuracy
from benchmark.accuracy.trial import Trials
from benchmark.datasets import load_dataset
from benchmark.metrics.figures import rank_metrics
from benchmark.peers import PEERS
from benchmark.provenance.results import QUOTED, Row, append_results, environment
from benchmark.types import Dataset, Describe, Features, Peer
from hmar.cli import main
from hmar.errors import ConfigError, ParameterError, UnavailableError
from tests.benchmark.datasets.trees import CT16, radimagenet_tree, write_lists
from tests.benchmark.peers.backbones import PlainBackbone, silent

ROOT = Path(__file__).parents[3]
ASKED = {"name", "bits", "protocol", "macro_map", "micro_map", "p_at_1", "ci95"}
BITS = (16, 32)
CHEAP = ("random", "thumbnail", "cosine", "itq")
CLASSES = ("plain", "rings", "spots", "stripes")
HELD = ("rings", "spots")
GROUPS = sum(SIDES.values()) * len(CLASSES)
QUERIES = SIDES["test"] * IMAGES * len(CLASSES)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Drawn:
    """The drawn data set with its features, and a folder that every test may keep trials in."""

    root: Path
    dataset: Dataset
    store: FeatureStore

    def run(
        self,
        work: Path,
        peers: Sequence[str | Peer] = CHEAP,
        bits: Sequence[int] = BITS,
        seeds: int = 2,
        protocols: Sequence[str] = ("clean",),
        dataset: Dataset | None = None,
    ) -> Outcome:
        chosen = [PEERS[peer] if isinstance(peer, str) else peer for peer in peers]
        over = dataset or self.dataset
        return run_accuracy(over, self.store, chosen, bits, seeds, protocols, work, silent, HELD)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    root = tmp_path_factory.mktemp("drawn")
    write_quick(root)
    store = FeatureStore(PlainBackbone(), tmp_path_factory.mktemp("cache"))
    return Drawn(root, store.complete(load_dataset("manifest", root), silent), store)


@pytest.fixture(scope="module")
def outcome(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return drawn.run(tmp_path_factory.mktemp("trials"), (*CHEAP, "linear"))


def row_of(outcome: Outcome, name: str, bits: int, protocol: str = "clean") -> Row:
    (row,) = [row for row in outcome.rows if (row.name, row.bits, row.protocol) == (name, bits, protocol)]
    return row


class BySeed:
    """Codes drawn by the seed from the pixels; counts its fits, and may stop working after some."""

    name: ClassVar[str] = "by-seed"
    paper: ClassVar[str] = "none"
    learns: ClassVar[bool] = True

    def __init__(self, stops_after: int | None = None) -> None:
        self.fits: list[tuple[int, int]] = []
        self._stops_after = stops_after

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        if len(self.fits) == self._stops_after:
            raise UnavailableError("The peer has stopped.", "Start again.")
        self.fits.append((bits, seed))
        directions = np.random.default_rng(seed).standard_normal((train.pooled.shape[1], bits))
        mean = train.pooled.mean(axis=0)
        return lambda features: np.packbits((features.pooled - mean) @ directions > 0, axis=1)


# Rows


@pytest.mark.slow
def test_the_drawn_data_set_has_whole_groups_on_every_side(drawn):
    assert len(drawn.dataset.images) == GROUPS * IMAGES
    assert drawn.dataset.classes == CLASSES
    assert drawn.dataset.problems == ()
    for side, groups in SIDES.items():
        assert len({image.group for image in drawn.dataset.of(side)}) == groups * len(CLASSES)
    assert len({(image.group, image.split) for image in drawn.dataset.images}) == GROUPS


@pytest.mark.slow
def test_every_peer_has_one_row_at_each_length_and_floats_have_one_of_0_bits(outcome):
    assert [(row.name, row.bits, row.floats) for row in outcome.rows] == [
        ("random", 16, 0),
        ("random", 32, 0),
        ("thumbnail", 0, 1024),
        ("cosine", 0, 196),
        ("itq", 16, 0),
        ("itq", 32, 0),
        ("linear", 16, 0),
        ("linear", 32, 0),
    ]
    assert [row.seeds for row in outcome.rows] == [2, 2, 1, 1, 2, 2, 2, 2]


@pytest.mark.slow
def test_rows_have_what_was_asked_for_and_it_is_within_its_range(outcome):
    for row in outcome.rows:
        fields = row.to_dict()
        assert fields.keys() >= ASKED
        for name in ("macro_map", "micro_map", "p_at_1", "p_at_5", "p_at_10", "recall_at_10"):
            assert 0 <= fields[name] <= 1
        assert (fields["protocol"], fields["metric"]) == ("clean", METRICS["clean"])
        assert (fields["queries"], fields["without_relevant"]) == (QUERIES, 0)
        assert fields["gallery"] == SIDES["train"] * IMAGES * len(CLASSES)
        low, high = fields["ci95"]
        assert low < fields["macro_map"] < high
        assert set(fields["per_class"]) == set(CLASSES)
        assert statistics.mean(fields["per_class"].values()) == pytest.approx(fields["macro_map"])


def test_codes_tell_their_health_and_floats_do_not(outcome):
    for row in outcome.rows:
        health = (row.balance, row.worst_balance, row.correlation, row.effective_bits, row.distinct)
        figures = (*health, row.precision_radius_2, row.recall_radius_2)
        assert all((figure is None) == (row.bits == 0) for figure in figures)


def expected_ap_by_chance(gallery: int, relevant: int) -> float:
    """Return the mean AP over all orders: the image at rank k is relevant, and so are some before it."""
    total = 0.0
    for rank in range(1, gallery + 1):
        total += (1 + (rank - 1) * (relevant - 1) / (gallery - 1)) / rank
    return total / gallery


def test_random_codes_are_at_chance(drawn, tmp_path):
    (row,) = drawn.run(tmp_path, ("random",), bits=(64,), seeds=5).rows
    chance = expected_ap_by_chance(row.gallery, row.gallery // len(CLASSES))
    assert row.macro_map == pytest.approx(chance, abs=0.02)
    assert row.p_at_10 == pytest.approx(1 / len(CLASSES), abs=0.05)


def test_a_learned_peer_is_well_above_chance(outcome):
    linear, random = row_of(outcome, "linear", 32), row_of(outcome, "random", 32)
    assert random.ci95 is not None
    assert linear.macro_map > random.ci95[1]


@pytest.mark.slow
def test_the_figures_are_means_over_seeds_and_sd_is_that_of_the_seeds(drawn, tmp_path):
    (row,) = drawn.run(tmp_path, (BySeed(),), bits=(16,), seeds=3).rows
    task = make_task("clean", drawn.dataset, drawn.store, ())
    macros = []
    for seed in range(3):
        describe = BySeed().fit(task.train, task.val, task.learnt, 16, seed)
        sides = describe(task.queries), describe(task.gallery)
        ap = rank_metrics(*sides, task.queries.labels, task.gallery.labels).ap
        macros.append(
            statistics.mean(float(ap[task.queries.labels == label].mean()) for label in range(len(CLASSES)))
        )
    assert row.macro_map == pytest.approx(statistics.mean(macros))
    assert row.sd == pytest.approx(statistics.stdev(macros))
    assert len(set(macros)) == 3


def test_one_seed_has_no_sd(outcome):
    assert row_of(outcome, "thumbnail", 0).sd is None
    assert row_of(outcome, "itq", 16).sd is not None


def test_the_difference_is_to_linear_at_the_same_length_and_for_floats_at_the_longest(outcome):
    for row in outcome.rows:
        reference = row_of(outcome, REFERENCE, row.bits or max(BITS))
        if row is reference:
            assert row.difference_to_linear is None
            continue
        assert row.difference_to_linear is not None
        mean, low, high = row.difference_to_linear
        assert mean == pytest.approx((row.macro_map or 0) - (reference.macro_map or 0))
        assert low <= mean <= high


def test_without_linear_there_is_no_difference_to_it(drawn, tmp_path):
    assert all(row.difference_to_linear is None for row in drawn.run(tmp_path, ("random", "cosine")).rows)


def test_queries_with_nothing_to_find_are_counted_and_in_no_mean(drawn, tmp_path):
    kept = tuple(i for i in drawn.dataset.images if (i.label, i.split) != ("plain", "train"))
    (row,) = drawn.run(tmp_path, ("cosine",), dataset=replace(drawn.dataset, images=kept)).rows
    assert (row.queries, row.without_relevant) == (QUERIES, QUERIES // len(CLASSES))
    assert set(row.per_class) == set(CLASSES) - {"plain"}
    assert all(math.isfinite(figure) for figure in (row.macro_map, row.micro_map, row.p_at_1))


@pytest.mark.slow
def test_the_interval_is_of_resampled_groups_and_not_of_images(drawn, outcome):
    task = make_task("clean", drawn.dataset, drawn.store, ())
    describe = PEERS["cosine"].fit(task.train, task.val, task.learnt, 16, 0)
    labels, groups = task.queries.labels, task.queries.groups
    ap = rank_metrics(describe(task.queries), describe(task.gallery), labels, task.gallery.labels).ap
    names = np.unique(groups)
    means = []
    for picks in np.random.default_rng(0).integers(len(names), size=(1000, len(names))):
        rows = np.concatenate([np.flatnonzero(groups == names[pick]) for pick in picks])
        means.append(np.mean([ap[rows][labels[rows] == label].mean() for label in np.unique(labels[rows])]))
    assert row_of(outcome, "cosine", 0).ci95 == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))


def test_the_curve_is_of_recall_then_precision(outcome):
    for row in outcome.rows:
        assert row.pr_curve[-1] == pytest.approx((1.0, 1 / len(CLASSES)))
        assert row.pr_curve[0][1] == pytest.approx(row.p_at_1)


def test_within_a_radius_of_2_is_counted_by_plain_loops(drawn, tmp_path):
    (row,) = drawn.run(tmp_path, (BySeed(),), bits=(16,), seeds=1).rows
    task = make_task("clean", drawn.dataset, drawn.store, ())
    describe = BySeed().fit(task.train, task.val, task.learnt, 16, 0)
    precision, recall = [], []
    for code, label in zip(describe(task.queries), task.queries.labels, strict=True):
        ball = [
            other == label
            for near, other in zip(describe(task.gallery), task.gallery.labels, strict=True)
            if sum(int(a ^ b).bit_count() for a, b in zip(code, near, strict=True)) <= 2
        ]
        precision.append(sum(ball) / len(ball) if ball else 0)
        recall.append(sum(ball) / (SIDES["train"] * IMAGES))
    assert 0 < statistics.mean(recall) < 1
    assert row.precision_radius_2 == pytest.approx(statistics.mean(precision))
    assert row.recall_radius_2 == pytest.approx(statistics.mean(recall))


# Protocols


@pytest.fixture(scope="module")
def side_by_side(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return drawn.run(tmp_path_factory.mktemp("trials"), ("random", "cosine"), (16,), 1, PROTOCOLS)


def test_protocols_stand_side_by_side_and_say_what_their_figure_is(side_by_side):
    for protocol in PROTOCOLS:
        rows = [row for row in side_by_side.rows if row.protocol == protocol]
        assert [row.name for row in rows] == ["random", "cosine"]
        assert {row.metric for row in rows} == {METRICS[protocol]}
    assert len(set(METRICS.values())) == len(PROTOCOLS)
    assert "hits found" in METRICS["acir-compat"]
    assert len({row.data for row in side_by_side.rows}) == len(PROTOCOLS)


def test_acir_compat_divides_by_image_and_counts_over_the_hits_found(side_by_side, drawn):
    images = GROUPS * IMAGES
    row = row_of(side_by_side, "cosine", 0, "acir-compat")
    assert (row.queries, row.gallery) == (round(0.1 * images), round(0.2 * images))
    task = make_task("acir-compat", drawn.dataset, drawn.store, ())
    describe = PEERS["cosine"].fit(task.train, task.val, task.learnt, 16, 0)
    queries, gallery = describe(task.queries).astype(float), describe(task.gallery).astype(float)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    found = []
    for query, label in zip(queries, task.queries.labels, strict=True):
        ranks = np.flatnonzero(task.gallery.labels[np.argsort(-(gallery @ query))][:100] == label) + 1
        if len(ranks):
            found.append(statistics.mean(hit / rank for hit, rank in enumerate(ranks, start=1)))
    assert row.micro_map == pytest.approx(statistics.mean(found), abs=1e-5)


def side_of(count: int, seed: int) -> Features:
    rng = np.random.default_rng(seed)
    pooled, labels = rng.standard_normal((count, 8), np.float32), rng.integers(0, 3, count)
    parts, pixels = np.zeros((1, count, 1, 3, 3), np.float16), np.zeros((count, 1024), np.float32)
    return Features(pooled, parts, pixels, labels, np.arange(count))


def test_acir_compat_looks_at_the_first_hundred_alone(drawn, tmp_path):
    gallery, queries = side_of(400, 1), side_of(9, 2)
    paths = tuple(Path(str(number)) for number in range(400))
    task = replace(
        make_task("acir-compat", drawn.dataset, drawn.store, ()),
        **{"train": gallery, "val": gallery, "gallery": gallery, "queries": queries},
        **{"gallery_paths": paths, "query_paths": paths[:9], "data": "by hand"},
    )
    trial = Trials(tmp_path, "none").run(task, PEERS["cosine"], 16, 0)
    described = [side.pooled / np.linalg.norm(side.pooled, axis=1)[:, None] for side in (queries, gallery)]
    for found, query, label in zip(trial.ap, described[0], queries.labels, strict=True):
        first = gallery.labels[np.argsort(-(described[1] @ query))][:100] == label
        ranks = np.flatnonzero(first) + 1
        expected = statistics.mean(hit / rank for hit, rank in enumerate(ranks.tolist(), start=1))
        assert found == pytest.approx(expected, abs=1e-4)


def test_unseen_retrieves_among_the_classes_that_were_held_out(side_by_side, drawn):
    row = row_of(side_by_side, "cosine", 0, "unseen")
    assert set(row.per_class) == set(HELD)
    assert row.queries == QUERIES // 2
    task = make_task("unseen", drawn.dataset, drawn.store, HELD)
    assert (task.classes, task.learnt) == (HELD, 2)
    assert len(task.train) == len(task.gallery) == SIDES["train"] * IMAGES * 2


@pytest.mark.parametrize(
    ("protocols", "held", "words"),
    [
        (("clean", "acir"), (), "no protocol 'acir'"),
        ((), (), "Give some of clean, acir-compat, unseen"),
        (("unseen",), (), "0 of 4 classes are held out"),
        (("clean", "unseen"), ("rings", "discs"), "no class 'discs'"),
    ],
)
def test_protocols_that_cannot_be_run_are_refused(drawn, protocols, held, words):
    with pytest.raises(ParameterError, match=words):
        check_protocols(protocols, drawn.dataset, held)


def test_a_side_that_lost_all_its_images_is_refused_by_name(drawn, tmp_path):
    left = replace(drawn.dataset, images=(*drawn.dataset.of("train"), *drawn.dataset.of("test")))
    with pytest.raises(ConfigError, match="in the split val"):
        drawn.run(tmp_path, ("cosine",), dataset=left)


def test_quoted_rows_stand_with_radimagenet_ct_alone_and_are_marked(drawn, side_by_side, tmp_path):
    assert "quoted" not in {row.protocol for row in side_by_side.rows}
    for name in ("radimagenet", "radimagenet-ct"):
        rows = drawn.run(tmp_path, ("cosine",), dataset=replace(drawn.dataset, name=name)).rows
        assert rows[1:] == (QUOTED if name == "radimagenet-ct" else ())
    assert {(row.name, row.bits, row.micro_map) for row in QUOTED} == {
        ("hmar", 64, 0.711),
        ("hmar", 128, 0.724),
        ("acir", 64, 0.704),
        ("acir", 128, 0.713),
    }
    for row in QUOTED:
        assert row.protocol == "quoted"
        assert "as published" in row.metric
        assert "arXiv" in row.source
        assert row.macro_map is row.p_at_1 is row.ci95 is None


# Duplicates


def test_the_rate_of_duplicates_is_told_for_every_protocol(side_by_side):
    assert [line.split(":")[0] for line in side_by_side.duplicates] == list(PROTOCOLS)
    assert side_by_side.duplicates[0].startswith(f"clean: 0 of {QUERIES} queries (0.0%) have an exact")


@pytest.mark.slow
def test_a_query_that_lies_on_another_side_too_is_counted(tmp_path):
    write_quick(tmp_path)
    with (tmp_path / "manifest.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    of = {side: [row["path"] for row in listed if row["split"] == side] for side in SIDES}
    for side, place in (("train", 0), ("val", 1)):
        (tmp_path / of["test"][place]).write_bytes((tmp_path / of[side][0]).read_bytes())
    store = FeatureStore(PlainBackbone(), tmp_path / "cache")
    dataset = store.complete(load_dataset("manifest", tmp_path), silent)
    found = run_accuracy(dataset, store, [PEERS["cosine"]], BITS, 1, ("clean",), tmp_path / "trials", silent)
    (row,) = found.rows
    assert row.duplicates["exact"] == 2
    assert found.duplicates[0].startswith(f"clean: 2 of {QUERIES} queries (")


# What is kept


def test_a_second_run_fits_nothing_and_has_the_same_rows(drawn, tmp_path):
    first, second = BySeed(), BySeed()
    rows = drawn.run(tmp_path, (first, "random")).rows
    assert drawn.run(tmp_path, (second, "random")).rows == rows
    assert first.fits == [(16, 0), (16, 1), (32, 0), (32, 1)]
    assert second.fits == []


def test_an_interrupted_run_goes_on_behind_its_last_trial(drawn, tmp_path):
    with pytest.raises(UnavailableError):
        drawn.run(tmp_path, (BySeed(stops_after=3),))
    again = BySeed()
    drawn.run(tmp_path, (again,))
    assert again.fits == [(32, 1)]


@pytest.mark.parametrize("data", [b"", b"not an archive"])
def test_a_damaged_trial_is_run_again(drawn, tmp_path, data):
    rows = drawn.run(tmp_path, (BySeed(),), (16,), 1).rows
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(data)
    again = BySeed()
    assert drawn.run(tmp_path, (again,), (16,), 1).rows[0].macro_map == rows[0].macro_map
    assert again.fits == [(16, 0)]


def test_other_labels_or_protocols_are_other_trials(drawn, tmp_path):
    other = replace(drawn.dataset, images=drawn.dataset.images[:-1])
    drawn.run(tmp_path, (BySeed(),), (16,), 1)
    for change in ({"dataset": other}, {"protocols": ("unseen",)}):
        again = BySeed()
        drawn.run(tmp_path, (again,), (16,), 1, **change)
        assert again.fits == [(16, 0)]


class Elsewhere(BySeed):
    """The same peer, as if another module had made it."""

    __module__ = "benchmark.peers.unsupervised.itq"


def test_other_code_is_another_trial(drawn, tmp_path):
    drawn.run(tmp_path, (BySeed(),), (16,), 1)
    again = Elsewhere()
    drawn.run(tmp_path, (again,), (16,), 1)
    assert again.fits == [(16, 0)]


def test_a_trial_is_kept_for_one_machine(drawn, tmp_path, monkeypatch):
    drawn.run(tmp_path, (BySeed(),), (16,), 1)
    monkeypatch.setattr("benchmark.accuracy.trial.processor", lambda: "another")
    again = BySeed()
    drawn.run(tmp_path, (again,), (16,), 1)
    assert again.fits == [(16, 0)]


@pytest.mark.slow
def test_progress_ends_at_its_total_though_floats_have_one_length(drawn, tmp_path):
    shown: list[tuple[int, int]] = []
    run_accuracy(
        drawn.dataset,
        drawn.store,
        [PEERS[name] for name in CHEAP],
        BITS,
        2,
        ("clean",),
        tmp_path,
        lambda _what, done, total: shown.append((done, total)),
    )
    assert [done for done, _ in shown] == list(range(1, 11))
    assert shown[-1] == (10, 10)
    assert all(done <= total for done, total in shown)


# Examples


def test_examples_show_true_distances_in_order_and_mark_what_is_right(drawn, outcome):
    task = make_task("clean", drawn.dataset, drawn.store, ())
    describe = PEERS["cosine"].fit(task.train, task.val, task.learnt, 16, 0)
    queries, gallery = describe(task.queries).astype(float), describe(task.gallery).astype(float)
    label = {image.path: image.label for image in drawn.dataset.images}
    examples = [example for example in outcome.examples if example.name == "cosine"]
    assert sorted(example.label for example in examples) == list(CLASSES)
    for example in examples:
        query = queries[task.query_paths.index(example.query)]
        apart = []
        for row in gallery:
            apart.append(1 - float(row @ query) / float(np.linalg.norm(row) * np.linalg.norm(query)))
        assert example.distances == pytest.approx(sorted(apart)[: len(example.hits)], abs=1e-5)
        assert example.labels == tuple(label[path] for path in example.hits)
        assert example.right == tuple(label[path] == label[example.query] for path in example.hits)


def test_montages_are_of_the_preferred_peers_at_their_longest_codes(outcome):
    titles = [montage.title for montage in montages(outcome.examples)]
    assert len(titles) == len(CLASSES)
    assert all(title.startswith(f"linear, {max(BITS)} bits: ") for title in titles)
    others = [example for example in outcome.examples if example.name != "linear"]
    assert all(montage.title.startswith("itq, 32 bits") for montage in montages(others))


# Results


def test_rows_and_their_environment_come_back_from_the_file(outcome, tmp_path):
    file = tmp_path / "results" / "rows.jsonl"
    rows = [row.to_dict() for row in outcome.rows]
    made_in = environment(1)
    append_results(file, rows[:3], made_in)
    append_results(file, rows[3:], made_in)
    back = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert back == [{**row, "environment": made_in} for row in rows]


def test_what_is_not_a_number_is_null_and_numpy_values_are_numbers(tmp_path):
    row = replace(QUOTED[0], macro_map=float("nan"), ci95=(float("nan"), 0.5), per_class={"a": math.inf})
    append_results(
        tmp_path / "rows", [row.to_dict(), {"a": np.float32(0.5), "b": [float("nan")]}], {"threads": 1}
    )
    first, second = (tmp_path / "rows").read_text("utf-8").splitlines()
    assert "NaN" not in first
    assert json.loads(first)["macro_map"] is None
    assert json.loads(first)["ci95"] == [None, 0.5]
    assert json.loads(first)["per_class"] == {"a": None}
    assert json.loads(second) == {"a": 0.5, "b": [None], "environment": {"threads": 1}}


def test_the_environment_says_commit_machine_versions_and_threads():
    found = environment(3, {"bits": [64]})
    assert (found["threads"], found["config"]) == (3, {"bits": [64]})
    assert environment(3)["config"] == {}
    assert found["commit"] is None or len(found["commit"].split(",")[0]) == 40
    assert found["machine"].keys() == {"processor", "cores", "system"}
    assert found["machine"]["cores"] >= 1
    assert found["versions"].keys() >= {"hmar", "python", "numpy", "torch", "faiss-cpu"}
    assert found["time"].endswith("+00:00")
    json.dumps(found, allow_nan=False)


@pytest.mark.slow
def test_a_package_inside_another_projects_checkout_has_no_commit(tmp_path):
    project = tmp_path / "project"
    copied = project / "lib" / "benchmark"
    (copied / "provenance").mkdir(parents=True)
    for name in ("__init__", "provenance/__init__", "provenance/results", "provenance/machine"):
        (copied / f"{name}.py").write_bytes((ROOT / "benchmark" / f"{name}.py").read_bytes())
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(project), *command], check=True)
    for folder, commit in ((project / "lib", False), (project, True)):
        if commit:
            (project / "lib" / "benchmark").rename(project / "benchmark")
        script = "from benchmark.provenance.results import environment; print(environment(1)['commit'])"
        command = [sys.executable, "-c", script]
        path = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=path)
        assert (done.stdout.strip() != "None") == commit


# RadImageNet's own layout, by the command


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache that holds the backbone's file as the first run would fetch it, but untrained."""
    folder = tmp_path_factory.mktemp("bench-cache")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = Lite0().state_dict()
    (folder / "trunk").mkdir()
    torch.save(state, folder / "trunk" / "efficientnet-lite0-57934424.pth")
    return folder


def bench(root: Path, cache: Path, *more: object, dataset: str = "radimagenet-ct") -> Result:
    arguments = ["--dataset", dataset, "--root", root, "--cache", cache, "--bits", 16, "--seeds", 1, *more]
    return CliRunner().invoke(
        main,
        ["bench", "accuracy", *map(str, arguments)],
        env={"HMAR_HOME": str(root / "home"), "HMAR_ENCODER_THREADS": "1", "COLUMNS": "200"},
    )


def one_line(result: Result, words: str) -> str:
    (line,) = [line for line in result.stderr.splitlines() if words in line]
    return line


@pytest.mark.slow
def test_the_16_ct_patterns_in_radimagenets_layout_run_by_one_command(tmp_path, cache):
    root = tmp_path / "data"
    listed = radimagenet_tree(root, [*CT16, "MR/abd/liver_lesion"])
    absent, broken = listed["train"][0], listed["train"][1]
    (root / absent).unlink()
    (root / broken).write_bytes((root / broken).read_bytes()[:60])
    file, page = tmp_path / "rows.jsonl", tmp_path / "report"
    peers = ("--peers", "random,thumbnail,linear", "--json", file, "--report", page)
    result = bench(root, cache, *peers, "--protocols", "clean,acir-compat", dataset="radioimagenet-ct")
    assert result.exit_code == 0, result.output
    assert one_line(result, "absent") == f"1 listed image absent, left out: {absent}"
    assert one_line(result, "PNG") == (
        f"{'/'.join(Path(broken).parts[-2:])}: left out. The 60 bytes are not a complete PNG or JPEG image."
    )
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {row["dataset"] for row in rows} == {"radimagenet-ct"}
    for protocol in ("clean", "acir-compat"):
        measured = [(row["name"], row["bits"]) for row in rows if row["protocol"] == protocol]
        assert measured == [("random", 16), ("thumbnail", 0), ("linear", 16)]
    assert [(row["name"], row["bits"], row["micro_map"]) for row in rows if row["protocol"] == "quoted"] == [
        ("hmar", 64, 0.711),
        ("hmar", 128, 0.724),
        ("acir", 64, 0.704),
        ("acir", 128, 0.713),
    ]
    clean = rows[0]
    # The broken and the absent image were the only ones of their classes in train.
    assert (clean["queries"], clean["gallery"], clean["without_relevant"]) == (16, 14, 2)
    assert set(clean["per_class"]) < set(CT16.values())
    assert "clean: " in result.stdout
    assert "quoted" in result.stdout
    markdown = (page / "report.md").read_text("utf-8")
    assert "\\[quoted\\]" in markdown
    assert "\\[acir-compat\\]" in markdown
    assert "listed image absent" in markdown


@pytest.mark.slow
def test_a_class_with_one_image_is_left_out_with_a_line_and_the_run_goes_on(tmp_path, cache):
    folders = list(CT16)[:5]
    listed = radimagenet_tree(tmp_path, folders)
    alone = CT16[folders[-1]]
    for side in ("val", "test"):
        write_lists(tmp_path, side, listed[side][:-1])
    result = bench(tmp_path, cache, "--peers", "thumbnail", "--json", tmp_path / "rows")
    assert result.exit_code == 0, result.output
    assert one_line(result, "single image") == f"1 class with a single image, left out: {alone}"
    assert one_line(result, "CT patterns missing").startswith("12 of the 16 CT patterns missing: ")
    measured = json.loads((tmp_path / "rows").read_text("utf-8").splitlines()[0])
    assert set(measured["per_class"]) == {CT16[folder] for folder in folders[:-1]}


def test_a_missing_list_stops_with_its_name_and_the_remedy(tmp_path, cache):
    radimagenet_tree(tmp_path, list(CT16)[:2])
    (tmp_path / "RadiologyAI_val.csv").unlink()
    result = bench(tmp_path, cache, "--peers", "random")
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "RadiologyAI_val.csv is missing. Put" in line


def test_a_file_that_is_not_the_backbone_stops_and_says_which_to_delete(tmp_path):
    radimagenet_tree(tmp_path, list(CT16)[:2])
    file = tmp_path / "cache" / "trunk" / "efficientnet-lite0-57934424.pth"
    file.parent.mkdir(parents=True)
    torch.save({"weight": torch.zeros(1)}, file)
    result = bench(tmp_path, tmp_path / "cache", "--peers", "random")
    assert result.exit_code == 3
    assert f"{file} does not hold the weights of EfficientNet-Lite0 (ValueError). Delete it" in result.stderr

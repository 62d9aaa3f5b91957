"""What is timed must be right: peers give the same answers, and figures mean what they say."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.speed import PARTS, run_speed
from benchmark.speed.archive import COMMON, MODEL, Archive, write_archive
from benchmark.speed.asking import TURN, Asked, Mixture
from benchmark.speed.crops import CropEncoder, ServedCrops
from benchmark.speed.decode import measure_decode
from benchmark.speed.encode import measure_encode
from benchmark.speed.filtered_search import frame_distances, measure_filtered_search
from benchmark.speed.filters import SELECTIONS, insert, measure_selection, select
from benchmark.speed.flat_scan import FlatScan
from benchmark.speed.growth import PROJECTED, Line, growth_rows, sizes_up_to
from benchmark.speed.http import measure_http
from benchmark.speed.live import FRAMES, measure_live
from benchmark.speed.memory import measure_memory
from benchmark.speed.mixed import Half, measure_mixed, quality
from benchmark.speed.narrowed_scan import NARROWINGS, measure_narrowed_scan
from benchmark.speed.pacs import measure_pacs
from benchmark.speed.people import People
from benchmark.speed.phantom import phantom_file, phantom_frame
from benchmark.speed.scan import CASES, CHECKED, EQUAL, measure_scan, ranked
from benchmark.speed.seen import measure_seen
from benchmark.speed.timing import Rounds, interleave, ratio_interval
from benchmark.speed.web_processes import measure_web_processes
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryIndex
from hmar.config import Settings
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ConfigError, ParameterError
from hmar.index.planes import to_codes
from hmar.model.bundle import BACKBONE, CARD, GOLDEN, TYPICALITY, seal
from hmar.model.config import NetworkConfig
from hmar.model.fast import write_fast_weights
from hmar.model.serving.model import load_served
from hmar.model.weights import load_bundle
from hmar.properties.table import TABLE
from hmar.stages import STAGES
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import EncodedFrame, Query, hamming
from hmar.values.entries import LogRow
from hmar.values.frames import FrameInfo
from hmar.values.selection import Selection
from tests.benchmark.speed.real import SLICES, WINDOWS, body, index_phantoms, queries
from tests.contract.examples import info
from tests.orthanc import PLUGIN
from tests.require import require_command, require_file
from tests.samples import conditions

TWO = Rounds(repeats=2, warm_up=1)
TIMES = {"p50_ms", "p95_ms", "peer_p50_ms", "peer_p95_ms", "ratio", "ratio_ci95"}
ROW_KEYS = TIMES | {"protocol", "part", "name", "peer", "repeats", "warm_up", "threads", "setting", "quality"}


CODE = np.zeros(16, np.uint8)


def drawn_infos(count: int, seed: int = 0) -> list[FrameInfo]:
    generator = np.random.default_rng(seed)

    def one_of(*values: object) -> Any:
        return values[int(generator.integers(len(values)))]

    return [
        info(
            str(number),
            modality=one_of("CT", "CT", "MR", "PT"),
            body_part=one_of("CHEST", "CHEST", None),
            sex=one_of("F", "F", "M", None),
            age_years=one_of(39, 40, 60, 61, None),
            study_date=one_of(date(2009, 12, 31), date(2010, 1, 1), date(2015, 12, 31), None),
            manufacturer=one_of("SIEMENS", "SIEMENS", "PHILIPS", None),
            patient_key=one_of("p", "q", "r", None),
        )
        for number in range(count)
    ]


def bare(known: FrameInfo) -> EncodedFrame:
    return EncodedFrame(known, CODE, CODE[None], np.zeros(1, np.uint32), (0.5, 0.5), "speed")


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_calls_take_turns_backwards_in_every_second_round_and_warm_up_is_left_out() -> None:
    seen: list[str] = []
    calls = {name: lambda number, name=name: seen.append(f"{name}{number}") for name in "ab"}
    times = interleave(calls, TWO, "x", silent)
    assert seen == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert {name: len(values) for name, values in times.items()} == {"a": 2, "b": 2}


@pytest.mark.slow
@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=20), st.floats(0.1, 10))
def test_the_ratio_of_a_peer_that_always_takes_twice_as_long_is_two(times: list[float], drift: float) -> None:
    own = np.array(times) * drift
    assert ratio_interval(own, 2 * own) == pytest.approx((2, 2, 2))


def test_the_interval_of_the_ratio_holds_it() -> None:
    generator = np.random.default_rng(1)
    own, peer = generator.uniform(1, 2, 50), generator.uniform(3, 4, 50)
    ratio, low, high = ratio_interval(own, peer)
    assert low < ratio < high
    assert ratio == np.median(peer / own)


def test_the_phantom_file_holds_the_phantom_frame(tmp_path) -> None:
    frame = ImageDecoder(10**7, PatientHasher(bytes(32))).open(phantom_file(3, 96)).frame(1)
    expected = phantom_frame(3, 96)
    assert frame.info.sop_instance_uid == expected.info.sop_instance_uid
    assert (frame.units, frame.info.spacing) == (expected.units, expected.info.spacing)
    assert np.abs(frame.values - np.clip(expected.values, -1024, 3071)).max() <= 0.5


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([1, 2, 8]))
def test_frames_of_the_flat_scan_are_those_of_a_plain_loop_ties_included(
    seed: int, k: int, size: int
) -> None:
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 256, (60, size), np.uint8)
    frames = np.sort(generator.integers(0, 9, 60))
    code = generator.integers(0, 256, size, np.uint8)
    minima: dict[int, int] = {}
    for row, frame in zip(codes, frames.tolist(), strict=True):
        distance = sum(int(byte).bit_count() for byte in row ^ code)
        minima[frame] = min(distance, minima.get(frame, 999))
    reach = sorted(minima.values())[min(k, len(minima)) - 1]
    expected = sorted((distance, frame) for frame, distance in minima.items() if distance <= reach)
    flat = FlatScan(8 * size, np.searchsorted(frames, np.arange(10)))
    flat.codes[:] = codes
    distances, found = flat.nearest_frames(code, k)
    assert list(zip(distances.tolist(), found.tolist(), strict=True)) == expected


@pytest.fixture(scope="module")
def people() -> People:
    return People([body(number) for number in range(4)])


def drawn(folder: Path, people: People, frames: int) -> Archive:
    return write_archive(folder, people, queries(), frames)


def test_an_archive_holds_the_drawn_people_as_the_product_would(tmp_path: Path, people: People) -> None:
    archive = drawn(tmp_path, people, 30)
    codes = np.concatenate([person.window_codes for person in people.drawn(30)])
    assert (to_codes(archive.codes, slice(0, archive.windows)) == codes).all()
    assert archive.people.tolist() == [1] * SLICES + [2] * SLICES + [3] * (30 - 2 * SLICES)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.check()
    assert (index.stats().frames, index.stats().windows) == (30, len(codes)), "the snapshot is intact"
    [found] = index.search_windows(Query(codes[0], codes[-2:], (0.0, 1.0)), 1, 128, Selection())
    assert (found.entry_id, found.local_distance) == (30, 0)
    assert len(index.search_windows(Query(codes[0], codes[:1], (0.0, 1.0)), 30, 128, COMMON)) == SLICES
    assert sorted(path.name[:4] for path in next(tmp_path.iterdir()).iterdir()) == ["gen-", "lock"]


@pytest.mark.slow
def test_scan_rows_name_their_peers_and_say_that_all_answers_are_equal(
    tmp_path: Path, people: People
) -> None:
    rows = measure_scan(drawn(tmp_path, people, 60), TWO, silent)
    assert [(row["query_windows"], row["bits"], row["threads"]) for row in rows] == [
        (windows, bits, threads) for windows, bits in CASES for threads in (1, 2)
    ]
    own = {"frames", "windows", "faiss_p50_ms", "floor_ms", "floor_bytes", "ratio_faiss", "ratio_floor"}
    for row in rows:
        assert set(row) >= ROW_KEYS | own
        assert ("grouped by frame" in str(row["peer"])) == (row["query_windows"] == 1)
        assert row["quality"] == {EQUAL: f"{CHECKED} of {CHECKED}"}
        assert row["identical"] is True
        assert row["floor_bytes"] == 60 * WINDOWS * row["bits"] // 8


@pytest.mark.slow
def test_narrowed_scans_find_the_nearest_of_what_is_selected(tmp_path: Path, people: People) -> None:
    rows = measure_narrowed_scan(drawn(tmp_path, people, 101 * SLICES), TWO, silent)
    assert len(rows) == len(NARROWINGS)
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert row["quality"] == {EQUAL: f"{CHECKED} of {CHECKED}"}


def test_a_new_frame_is_found_and_a_deleted_one_is_not(tmp_path: Path, people: People) -> None:
    for row in measure_live(drawn(tmp_path, people, 40), silent):
        assert row["quality"] == {"answers right": f"{2 * FRAMES} of {2 * FRAMES}"}


def test_frames_of_equal_distance_are_ranked_by_128_bits_then_by_frame(
    tmp_path: Path, people: People
) -> None:
    archive = drawn(tmp_path, people, 30)
    code = archive.window_codes(7)[1]
    full = [int(hamming(archive.window_codes(frame), code).min()) for frame in range(30)]
    order = sorted(range(30), key=lambda frame: (full[frame], frame))[:10]
    everything = np.arange(30)[::-1]
    assert ranked(archive, code[None], np.full(30, 5), everything) == [(frame, 5.0) for frame in order]


@pytest.mark.slow
def test_memory_is_told_for_one_process_and_for_two_at_a_time(tmp_path: Path, people: People) -> None:
    one, two = measure_memory(drawn(tmp_path, people, 10_000))
    assert one["code_bytes"] == two["code_bytes"] > 6e6
    assert int(str(one["held_bytes"])) > int(str(one["mapped_bytes"])) > 3e6
    # A page that no query touched is counted only where the kernel has mapped it along with its neighbours.
    assert two["mapped_bytes"] == pytest.approx(one["mapped_bytes"], rel=0.05), "both map the same pages"
    assert 16 < float(str(one["stored_bytes_per_window"])) < 20


def test_growth_goes_up_to_the_size_asked_for_and_is_projected_beyond() -> None:
    assert sizes_up_to(5_000) == [5_000]
    assert sizes_up_to(200_000) == [10_000, 30_000, 100_000, 200_000]
    scanned: list[dict[str, object]] = [
        {"name": "scan", "bits": 64, "threads": 1, "frames": size, "windows": 5 * size,
         "p50_ms": 1 + size / 1000 + error, "faiss_p50_ms": size / 100}
        for size, error in ((10_000, 0.1), (30_000, -0.1), (100_000, 1.0))
    ]  # fmt: skip
    rows = growth_rows(scanned)
    assert [(row["frames"], row["how"]) for row in rows] == [
        *((size, "measured") for size in (10_000, 30_000, 100_000)),
        *((size, "projected") for size in PROJECTED),
    ]  # fmt: skip
    for row in rows[3:]:
        assert row["faiss_p50_ms"] == pytest.approx(row["frames"] / 100)
        low, high = row["p50_ms_ci95"]
        assert low < row["frames"] / 1000 < row["p50_ms"] * 1.1 < high


def test_a_line_through_exact_points_has_no_width_and_through_two_no_interval() -> None:
    sizes = np.array([1.0, 2.0, 4.0])
    line = Line.through(sizes, 3 + 2 * sizes)
    assert (line.at(10), line.interval(10)) == (pytest.approx(23), pytest.approx([23, 23], abs=1e-3))
    assert Line.through(sizes[:2], sizes[:2]).interval(10) is None


def test_a_crop_of_the_whole_grid_gives_the_code_of_that_window() -> None:
    model, bundle = load_served(shipped_bundle()), load_bundle(shipped_bundle())
    frame = phantom_frame(0, 137)  # 128 grid pixels: one window of 8 cells, and nothing around it
    encoded = HmarEncoder(model).encode(frame)
    ids = encoded.window_ids[encoded.window_ids >> 28 == 2]
    assert len(ids) == 1
    for peer in (CropEncoder(bundle, frame, ids, None), ServedCrops(model, frame, ids)):
        [code] = peer.encode()
        assert (code == encoded.window_codes[encoded.window_ids == ids[0]][0]).all()


def test_filter_rows_find_what_sqlite_finds() -> None:
    rows = measure_selection([drawn_infos(400), drawn_infos(300, 1)], TWO, silent)
    assert [str(row["name"]).split(": ")[1] for row in rows] == list(SELECTIONS)
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert row["frames"] == 700
        assert 0 < row["selected"] < 700
        assert row["quality"] == {"frames equal to the peer's": True}


@pytest.mark.slow
def test_sqlite_selects_by_every_filter_and_never_what_is_unknown() -> None:
    infos = drawn_infos(500)
    with closing(sqlite3.connect(":memory:")) as database:
        insert(database, infos)
        own = [Selection(filters={name: wanted}) for name in TABLE for wanted in conditions(TABLE[name])]
        for selection in (*SELECTIONS.values(), *own):
            rows = [LogRow(at, "add", at, "c", "m", bare(info)) for at, info in enumerate(infos, start=1)]
            oracle = MemoryIndex("speed")
            oracle.apply(rows)
            hits = oracle.search_global(Query(CODE, CODE[None], (1.0, 0.0)), 500, 128, selection)
            assert select(database, selection) == [hit.entry_id for hit in hits]


@pytest.mark.slow
def test_filtered_search_rows_say_that_every_answer_is_the_nearest_that_fits(
    tmp_path: Path, people: People
) -> None:
    archive = drawn(tmp_path / "drawn", people, 300)
    rows = measure_filtered_search(archive, drawn_infos(300), TWO, tmp_path / "known", silent)
    assert len(rows) == 2 * (len(SELECTIONS) + 1)
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert set(row["quality"].values()) == {"3 of 3 queries"}


def test_frame_distances_are_those_of_a_plain_loop(tmp_path: Path, people: People) -> None:
    archive = drawn(tmp_path, people, 20)
    code = archive.queries(1, 1)[0, 0]
    by_frame = [
        [sum(int(byte).bit_count() for byte in row ^ code) for row in archive.window_codes(frame)]
        for frame in range(20)
    ]
    assert frame_distances(archive, code, "windows").tolist() == [min(all_) for all_ in by_frame]
    assert frame_distances(archive, code, "global").tolist() == [all_[0] for all_ in by_frame]


def test_the_part_filters_names_the_extra_that_it_needs(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.delitem(sys.modules, "benchmark.speed.idc", raising=False)
    with pytest.raises(ConfigError, match="pyarrow") as raised:
        run_speed(["filters"], 10, silent)
    assert "hmar-search[bench]" in raised.value.remedy


def test_every_series_of_the_public_archive_becomes_a_frame() -> None:
    pytest.importorskip("pyarrow", reason="pyarrow comes with the extra bench")
    pytest.importorskip("idc_index_data", reason="idc-index-data comes with the extra bench")
    from benchmark.speed.idc import series_infos

    [*infos] = next(series_infos())
    assert len({info.series_uid for info in infos}) == len(infos) == 1 << 16
    assert {type(info.study_date) for info in infos} <= {date, type(None)}
    assert {info.sex for info in infos} <= {"F", "M", "O", None}
    assert all(info.age_years is None or 0 <= info.age_years <= 90 for info in infos)
    assert {"CT", "MR"} <= {info.modality for info in infos}


@pytest.mark.slow
def test_encode_rows_scale_the_sample_and_show_how_far_the_codes_agree() -> None:
    *crops, whole, _ = measure_encode(shipped_bundle(), Rounds(1, 0), 5, silent, side=160)
    assert len(crops) == 3
    assert whole["quality"] == {"bits agreeing with torch's codes": 1.0}
    for row in crops:
        assert set(row) >= ROW_KEYS
        assert row["windows_measured"] == 5
        assert f"multiplied by {float(str(row['windows'])) / 5:.2f}" in str(row["setting"])
        [agreement] = row["quality"].values()
        assert 0.5 < agreement <= 1


def test_the_fast_form_is_timed_against_its_model_with_the_windows_of_both() -> None:
    *_, whole, fast = measure_encode(shipped_bundle(), Rounds(1, 0), 2, silent, side=160)
    assert set(fast) >= ROW_KEYS
    assert fast["peer"] == whole["name"] == "HmarEncoder.encode (hmar-ct-128)"
    assert fast["name"] == "HmarEncoder.encode (hmar-ct-128-fast)"
    assert fast["peer_p50_ms"] == whole["p50_ms"]
    # 160 pixels of 0.7 mm are 112 mm: 7 cells of 16 mm, where the model has 10 of 12 mm.
    assert fast["windows"] < fast["quality"]["windows of the peer"] == whole["windows"]


def test_a_model_without_a_fast_form_is_timed_without_it(tmp_path: Path) -> None:
    fast = tmp_path / "fast"
    write_fast_weights(shipped_bundle(), fast)
    for name in (BACKBONE, TYPICALITY, CARD, GOLDEN):
        shutil.copyfile(shipped_bundle() / name, fast / name)
    seal(fast)
    rows = measure_encode(fast, Rounds(1, 0), 2, silent, side=160)
    assert {row["name"] for row in rows} == {"HmarEncoder.encode (fast)"}
    assert len(rows) == 4


def test_folded_kan_and_pykan_give_the_same_outputs() -> None:
    pytest.importorskip("kan", reason="pykan comes with the extra train")
    from benchmark.speed.kan import measure_kan

    state = torch.random.get_rng_state()
    [small, large] = measure_kan(NetworkConfig(hidden=16), (9, 20), TWO, silent)
    assert torch.equal(state, torch.random.get_rng_state())
    assert (small["batch"], large["batch"]) == (9, 20)
    for row in (small, large):
        assert set(row) >= ROW_KEYS
        assert row["quality"]["largest difference of outputs"] < 1e-5


@pytest.mark.slow
def test_answers_over_http_are_those_in_process(tmp_path) -> None:
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    rows = measure_http(settings, 4, (1, 2), 2, Rounds(1, 0), silent, side=96)
    assert [row["clients"] for row in rows] == [1, 2]
    assert rows[0]["throughput_ratio"] == 1
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert row["requests"] == 2 * row["clients"]
        assert row["quality"] == {
            "answers equal to those in process": f"{row['requests']} of {row['requests']}"
        }


@pytest.mark.slow
def test_several_web_processes_are_timed_against_one_and_answer_alike(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    [row] = measure_web_processes(settings, 2, 4, 3, 12, Rounds(1, 0), silent, side=96)
    assert set(row) >= ROW_KEYS
    assert row["part"] in PARTS
    assert row["quality"] == {"answers equal to the peer's": "12 of 12"}
    assert float(str(row["processor_ms"])) > 0
    assert float(str(row["throughput_per_s"])) > 0


@pytest.mark.slow
def test_decoding_in_a_child_gives_what_decoding_here_does(tmp_path) -> None:
    settings = Settings(home=tmp_path).checked()
    rows = measure_decode(settings, ThumbnailEncoder(), None, 3, TWO, silent, side=96)
    assert [row["name"] for row in rows] == [
        "open and decode, uncompressed CT",
        "open and decode, JPEG 2000 lossless CT",
        "index a file",
        "search by file",
    ]
    for row in rows:
        assert set(row) >= ROW_KEYS | {"overhead_ms"}
    assert [list(row["quality"].values()) for row in rows] == [[1.0], [1.0], ["3 of 3"], ["3 of 3"]]
    assert all(row["own_per_s"] > 0 and row["peer_per_s"] > 0 for row in rows[2:])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_training_on_new_views_is_timed_with_its_wait_and_its_memory() -> None:
    pytest.importorskip("kan", reason="the extra 'train' is not installed")
    from benchmark.speed.train import KEPT, measure_train
    from hmar.training.config import PRESETS

    small = replace(PRESETS["structures"], pairs=2, settle_pairs=2, windows=8)
    rows = measure_train("cpu", [0, 1], TWO, silent, slices=1, config=small)
    names = [KEPT, "new views, 0 workers", "new views, 1 workers"]
    assert [row["name"] for row in rows] == 2 * names
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert row["quality"]["steps/s"] > 0
        assert 0 <= row["quality"]["share of time waiting for data"] < 1
        assert row["quality"]["memory of all processes (GB)"] > 0.1
    assert [row["ratio"] for row in rows if row["name"] == KEPT] == [1.0, 1.0]
    # Without workers a step waits while its views are rendered.
    waits = {row["name"]: row["quality"]["share of time waiting for data"] for row in rows[:3]}
    assert waits[KEPT] < waits["new views, 0 workers"]


@pytest.mark.parametrize(("parts", "frames"), [(["warp"], 1), ([], 1), (["scan"], 0)])
def test_unknown_parts_and_empty_archives_are_refused(parts, frames) -> None:
    with pytest.raises(ParameterError):
        run_speed(parts, frames, silent)


@pytest.mark.slow
def test_parts_run_in_their_order_and_torch_gets_its_threads_back(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HMAR_MODEL_DIR", "thumbnail")
    index_phantoms(tmp_path, patients=3)
    torch.set_num_threads(2)
    rows = run_speed(["scan"], 20, silent, growth=True, data=tmp_path)
    assert {row["part"] for row in rows} == {"scan"} <= set(PARTS)
    assert {row["protocol"] for row in rows} == {"speed", "likeness", "growth"}
    assert torch.get_num_threads() == 2


@pytest.mark.slow
def test_answers_about_seen_frames_are_those_of_a_product_that_keeps_none(tmp_path) -> None:
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    rows = measure_seen(settings, 4, 2, 6, Rounds(1, 0), silent, side=96)
    assert [row["name"].split(", ")[1] for row in rows] == ["a new frame", "a seen frame"]
    for row, asked in zip(rows, (4, 6), strict=True):
        assert set(row) >= ROW_KEYS
        assert row["quality"] == {"answers equal to the peer's": f"{asked} of {asked}"}
        assert min(row["throughput_per_s"], row["health_p99_ms"], row["peer_health_p99_ms"]) > 0


def test_all_kinds_of_searches_are_answered_while_a_job_indexes(tmp_path) -> None:
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    rows = measure_mixed(settings, 50, 4, 3.0, Rounds(1, 0), silent, side=96)
    names = [row["name"].removesuffix(", while a job indexes") for row in rows]
    assert names[0] == "all routes"
    assert {"region of a seen frame"} <= set(names[1:]) <= set(TURN)
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert min(row["throughput_per_s"], row["peer_throughput_per_s"]) > 0
        assert all(set(said.split()[2::3]) == {"200"} for said in row["quality"].values())
    [everything, *_] = rows
    assert everything["indexed_per_s"] > everything["peer_indexed_per_s"] == 0
    assert 0 < sum(everything["stages_ms"][name] for name in STAGES) <= everything["stages_ms"]["worked"]
    assert everything["health_p99_ms"] > 0


def test_what_is_refused_is_counted_and_no_answer() -> None:
    asked = [Asked("why", 200, 5.0), Asked("why", 503, 1.0), Asked("series", 0, 1.0)]
    half = Half(asked, [1.0], 2.0)
    assert (half.per_s, half.latencies("why"), half.latencies("series")) == (0.5, [5.0], [])
    assert quality("why", [half], [half])["answers"] == "1 x 200, 1 x 503"


def test_clients_ask_about_few_frames_often_and_about_others_in_turn(tmp_path) -> None:
    mixture = Mixture(192, 96, tmp_path)
    bodies = {"region of a seen frame": set[str](), "region of another frame": set[str]()}
    for client, turn in product(range(8), range(120)):
        if TURN[(client + turn) % len(TURN)] in bodies:
            kind, sent = mixture.request(client, turn)
            bodies[kind].add(json.loads(sent.data)["sop_instance_uid"])
    assert len(bodies["region of a seen frame"]) == 8
    assert len(bodies["region of another frame"]) > 60


@pytest.mark.slow
def test_what_comes_from_a_pacs_is_what_a_folder_has(tmp_path) -> None:
    require_command("Orthanc", "orthanc")
    require_file(PLUGIN, "orthanc-dicomweb")
    require_command("storescu", "dcmtk")
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    *rows, floor = measure_pacs(settings, 3, Rounds(1, 0), silent, side=96)
    assert [row["name"].split(", ")[1] for row in rows] == [
        "pull from Orthanc",
        "C-STORE to the listener",
        "STOW-RS",
    ]
    for row in rows:
        assert set(row) >= ROW_KEYS
        assert row["quality"] == {"header and codes equal to the peer's": "3 of 3"}
        assert set(row["memory_mib"]) == {"listener", "web server", "worker", "decoders"}
        assert row["processor_ms_by_process"]["worker"] > 0
    assert floor["quality"] == {"instances taken": "3 of 3"}


def test_the_part_pacs_says_what_is_not_installed(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="Orthanc is not installed"):
        run_speed(["pacs"], 1, 1, silent)

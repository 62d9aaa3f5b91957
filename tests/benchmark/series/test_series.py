"""Parts of scans, what they are asked, and the figures of ``hmar bench series``."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from benchmark.region.volumes import Scan
from benchmark.series.aggregations import attention, item_distances, late_interaction, mean, nearest, voting
from benchmark.series.parts import known_structures, parts_of
from benchmark.series.peers import STRUCTURE_PEERS, WHOLE_PEERS, select_series_peers
from benchmark.series.run import rows_of
from benchmark.series.scoring import figures, questions_of
from hmar.cli import main
from hmar.errors import ParameterError
from hmar.thumbnail import ThumbnailEncoder

LIVER, SPLEEN, UPPER, LOWER = 1, 2, 3, 4
NAMES = {LIVER: "liver", SPLEEN: "spleen", UPPER: "lung_upper_lobe_left", LOWER: "lung_lower_lobe_left"}
BRIGHT = {LIVER: 900.0, SPLEEN: 400.0, UPPER: -700.0, LOWER: -500.0}


def scan(person: str, structures: list[set[int]], *, partly: bool = False) -> Scan:
    """A scan of parts of 50 mm, each with some structures: discs of their own brightness and place."""
    values = np.full((10 * len(structures), 64, 64), 40, np.int16)
    ids = np.zeros_like(values)
    y, x = np.mgrid[:64, :64]
    for part, shown in enumerate(structures):
        for number in shown:
            disc = (x - 16 * number + 8) ** 2 + (y - 32) ** 2 < 49
            values[10 * part : 10 * part + 10, disc] = BRIGHT[number]
            ids[10 * part : 10 * part + 10, disc] = number
    noise = np.random.default_rng(len(person)).normal(0, 5, values.shape)
    return Scan(person, person, (values + noise).astype(np.int16), ids, NAMES, (5.0, 4.0, 4.0), partly)


@pytest.fixture(scope="module")
def scans() -> list[Scan]:
    return [
        scan("a", [{LIVER}, {SPLEEN}, {UPPER, LOWER}]),
        scan("bb", [{SPLEEN}, {LIVER}, {UPPER}, set()]),
        scan("ccc", [{LIVER}, {SPLEEN}], partly=True),
    ]


def test_a_scan_is_cut_into_parts_with_the_boxes_of_what_they_show(scans):
    parts = parts_of(scans[0])
    assert [len(part.frames) for part in parts] == [10, 10, 10]
    assert [set(part.boxes) for part in parts] == [
        {"liver"},
        {"spleen"},
        {"lung_upper_lobe_left", "lung_lower_lobe_left", "lung_left"},
    ]
    assert set(parts[0].boxes["liver"]) == set(range(10))
    box = parts[1].boxes["spleen"][0]
    assert (box.x + box.width / 2, box.y + box.height / 2) == (24.5, 32.5)
    # Of slices 2 mm apart every second is taken; the last part has too few.
    thin = scan("a", [{LIVER}, {SPLEEN}, {UPPER}])
    thin = Scan(thin.name, thin.person, thin.values, thin.ids, thin.names, (2.0, 4.0, 4.0))
    assert [len(part.frames) for part in parts_of(thin)] == [12]


def test_a_mask_that_draws_some_structures_tells_of_no_others(scans):
    assert known_structures(scans[2]) == {"liver", "spleen"}
    assert known_structures(scans[0]) >= {"liver", "lung_upper_lobe_left"}
    asked = {(q.part, q.structure): q for q in questions_of([p for s in scans for p in parts_of(s)])}
    # Lobes are asked for of those alone whose mask tells of them, and nobody is asked for his own parts.
    assert asked[2, "lung_upper_lobe_left"].gallery.tolist() == [3, 4, 5, 6]
    assert asked[2, "lung_upper_lobe_left"].relevant.tolist() == [False, False, True, False]
    assert asked[0, "liver"].gallery.tolist() == [3, 4, 5, 6, 7, 8]
    assert asked[7, "liver"].gallery.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert (2, "lung_lower_lobe_left") not in asked  # nobody else shows it


def packed(*codes: str) -> np.ndarray:
    return np.packbits([[int(bit) for bit in code] for code in codes], axis=1)


def test_distances_of_items_become_one_as_each_aggregation_says():
    query = [packed("00000000"), packed("11110000", "11111111")]
    parts = [[packed("00000001"), packed("11110000")], [packed("11111111", "00000011")]]
    to_frames = [item_distances(query, part) for part in parts]
    # The second item is as far from a frame as the mean of its two codes from the nearest one.
    assert to_frames[0].tolist() == [[1, 4], [(5 + 7) / 2, (0 + 4) / 2]]
    assert to_frames[1].tolist() == [[2], [(4 + 0) / 2]]
    assert late_interaction(to_frames).tolist() == [1.5, 2.0]
    assert nearest(to_frames).tolist() == [1.0, 2.0]
    assert voting(to_frames).tolist() == [-1.5, -0.5]  # the second item's vote is shared
    # Means: 11110000 of the query, 00000000 and 00000011 of the parts, for a half is no majority.
    assert mean(query, parts).tolist() == [4.0, 6.0]


def test_attention_looks_at_the_codes_that_are_near_the_query():
    query = [packed("11110000")]
    parts = [[packed("11110000", "00001111", "00001111")], [packed("11100000", "11100000", "11100000")]]
    near, other = attention(query, parts)
    assert near == pytest.approx(0, abs=1e-6)
    assert other == pytest.approx(1, abs=1e-6)
    assert mean(query, parts).tolist() == [8.0, 1.0]


def test_figures_are_expected_under_ties():
    found = figures(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    assert found["ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert (found["p_at_1"], found["p_at_3"], found["recall_at_10"]) == (1, 1, 1)
    assert figures(np.zeros(4), np.array([True, False, False, False]))["p_at_1"] == pytest.approx(1 / 4)


@pytest.mark.slow
def test_the_boxes_of_a_structure_find_the_parts_that_show_it(scans):
    told = []
    rows = rows_of(
        scans, WHOLE_PEERS, STRUCTURE_PEERS, [64, 128], ThumbnailEncoder(), lambda *done: told.append(done)
    )
    json.dumps(rows)
    by_name = {(row["protocol"], row["name"], row["bits"]): row for row in rows}
    assert len(by_name) == len(rows) == 2 * (len(WHOLE_PEERS) + len(STRUCTURE_PEERS)) + 2
    best = by_name["series-structure", "late-interaction", 128]
    chance = by_name["series-structure", "chance", 0]
    assert best["macro_map"] > 0.9 > chance["macro_map"] + 0.3
    assert (best["clusters"], best["of_model"], chance["of_model"]) == (3, True, False)
    assert best["queries"] == chance["queries"] == len(questions_of([p for s in scans for p in parts_of(s)]))
    assert told[-1][1:] == (2, 2)


def test_people_without_a_structure_in_common_and_unknown_peers_are_refused():
    with pytest.raises(ParameterError, match="No structure is shown by two people"):
        rows_of(
            [scan("a", [{LIVER}]), scan("bb", [{SPLEEN}])],
            WHOLE_PEERS,
            (),
            [64],
            ThumbnailEncoder(),
            lambda *_: None,
        )
    with pytest.raises(ParameterError, match="Give all, or some of late-interaction"):
        select_series_peers(["nobody"])
    result = CliRunner().invoke(main, ["bench", "series", "--peers", "nobody"])
    assert result.exit_code != 0

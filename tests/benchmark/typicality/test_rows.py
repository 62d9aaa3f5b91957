import numpy as np
import pytest

from benchmark.typicality.gathered import Direction, OddLook, PersonLook
from benchmark.typicality.judging import MULTIPLES, REGION, REGION_ALONE
from benchmark.typicality.looking import Look
from benchmark.typicality.rows import direction_rows
from hmar.model.serving.references import KindReferences
from hmar.model.serving.typicality import Reference
from hmar.values.frames import Frame, Units
from tests.frames import frame_info

REFERENCE = Reference(
    np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.linspace(0, 2, 200, dtype=np.float32)
)
KNOWN = KindReferences(REFERENCE, {3: REFERENCE})
FRAME = Frame(frame_info(8, 8, None, "CT"), np.zeros((8, 8), np.float32), Units.HU)


def seen(length: float, regions: tuple[float, ...] = ()) -> Look:
    def at(lengths: tuple[float, ...]) -> np.ndarray:
        return np.array([[one, 0] for one in lengths], np.float32).reshape(-1, 2)

    return Look(at((length,))[0], np.full(len(regions), 3.0), at(regions))


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    people = [
        PersonLook(f"c{person}", "choose", seen(rng.random(), (0.5, 0.6)), {"kernel": "B30F"})
        for person in range(20)
        for _ in range(5)
    ]
    # Of one person 1 of 4 frames is far out, of the other both are.
    people += [PersonLook("r0", "report", seen(far, (1.0, 9.0)), {"kernel": "B30F"}) for far in (1, 1, 1, 9)]
    people += [PersonLook("r1", "report", seen(far, ()), {"kernel": "B60F"}) for far in (9, 9)]
    odd = [OddLook("page", f"image {number}", seen(far)) for number, far in enumerate((9, 9, 9, 1))]
    odd += [OddLook("photographs", "a", seen(9)), OddLook("photographs", "a", seen(1))]
    odd += [OddLook("photographs", "b", seen(9)), OddLook("text within a slice", "r0", seen(1, (9, 1)))]
    return list(direction_rows(Direction("CT", FRAME, people, odd), KNOWN))


def of(rows, **wanted):
    (row,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return row


def test_false_alarms_are_means_over_people_of_each_ones_share(rows):
    row = of(rows, name="model", scope="frame", shown="people", people="report")
    assert row["marked"] == pytest.approx((0.25 + 1) / 2)
    assert (row["clusters"], row["with_a_mark"], row["frames"]) == (2, 2, 6)
    everyone = of(rows, name="model", scope="frame", shown="people", people="all")
    assert everyone["marked"] == pytest.approx(1.25 / 22)
    assert (everyone["clusters"], everyone["with_a_mark"]) == (22, 2)


def test_who_has_no_region_is_left_out_of_regions(rows):
    row = of(rows, name="model", scope=REGION_ALONE, shown="people", people="report")
    assert (row["clusters"], row["regions"], row["marked"]) == (1, 8, 0.5)


def test_regions_of_a_frame_that_is_marked_are_marked(rows):
    row = of(rows, name="model", scope=REGION, shown="people", people="report")
    assert (row["regions"], row["marked"]) == (8, 5 / 8)


def test_false_alarms_are_told_by_what_headers_say(rows):
    by = of(rows, name="model", scope="frame", shown="people", people="report")["by"]
    edge = REFERENCE.distances[-2]
    assert by["kernel B30F"] == {"people": 1, "far": pytest.approx(3 / edge), "marked": 0.25}
    assert by["kernel B60F"] == {"people": 1, "far": pytest.approx(9 / edge), "marked": 1}


def test_detection_is_a_mean_over_images_photographs_and_people(rows):
    assert of(rows, name="model", scope="frame", shown="page")["marked"] == 0.75
    photographs = of(rows, name="model", scope="frame", shown="photographs")
    assert (photographs["marked"], photographs["clusters"], photographs["frames"]) == (0.75, 2, 3)
    assert photographs["per_class"] == {"a": 0.5, "b": 1}
    inside = {"name": "model", "shown": "text within a slice"}
    assert of(rows, scope="frame", **inside)["marked"] == 0
    for scope in (REGION, REGION_ALONE):
        assert of(rows, scope=scope, **inside)["marked"] == 0.5
        assert of(rows, scope=scope, **inside)["ci95_unit"] == "people"


def test_the_other_rules_are_reported_on_those_they_were_not_set_on(rows):
    for name in ("one-percent", "refitted"):
        row = of(rows, name=name, scope="frame", shown="people")
        assert row["people"] == "report"
    curve = of(rows, name="one-percent", scope="frame", shown="page")["curve"]
    assert [share for share, _ in curve] == [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
    assert all(marked >= 0.75 for _, marked in curve)
    refitted = of(rows, name="refitted", scope="frame", shown="page")
    assert [multiple for multiple, _ in refitted["curve"]] == list(MULTIPLES)
    assert dict(refitted["curve"])[1.0] == refitted["marked"]
    assert of(rows, name="model", scope="frame", shown="page")["curve"] is None

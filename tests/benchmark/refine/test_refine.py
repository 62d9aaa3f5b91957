from __future__ import annotations

import numpy as np
import pytest

from benchmark.refine.material import Asked, Material, Slice
from benchmark.refine.methods import METHODS, NONE, PRODUCT, signs_of
from benchmark.refine.run import rows_of, run_refine
from benchmark.refine.scoring import score
from benchmark.refine.searching import Archive
from benchmark.types import silent
from hmar.errors import ParameterError
from tests.contract.examples import bits_code

KNOWN = frozenset({"liver"})
VALUES = {name: way.values for name, way in METHODS.items()}


def shown(person: str, code: np.ndarray, liver: bool) -> Slice:
    """Make a slice of two windows, the second of nothing."""
    codes = np.stack([code, bits_code()])
    return Slice(person, codes, {"liver": np.array([liver, False])} if liver else {}, KNOWN)


def archive_of(rng: np.random.Generator) -> tuple[Archive, Asked]:
    """Let the first 12 bits tell the structure, and noise in the others hide it."""

    def code(liver: bool) -> np.ndarray:
        bits = rng.random(128) < 0.5
        bits[:12] = (rng.random(12) < 0.05) ^ liver
        return np.packbits(bits)

    slices = [shown(f"p{number % 4}", code(number % 3 == 0), number % 3 == 0) for number in range(120)]
    slices.append(shown("asks", code(True), True))
    return Archive(slices), Asked("asks", "liver", np.stack([code(True)] * 9))


def test_the_own_person_and_the_judged_slices_are_left_out_and_refining_finds_more() -> None:
    scored = [score(*archive_of(np.random.default_rng(seed)), VALUES) for seed in range(5)]
    means = {name: np.mean([one.figures[name][0] for one in scored if one]) for name in VALUES}
    assert all(one is not None and 0 < one.relevant <= 10 for one in scored)
    assert means[PRODUCT] > means[NONE] + 0.1
    assert means["real-valued"] == pytest.approx(means[PRODUCT], abs=0.03)


def test_nothing_is_measured_where_nothing_is_left_to_find() -> None:
    slices = [shown("other", bits_code(), True), shown("asks", bits_code(), True)]
    assert score(Archive(slices), Asked("asks", "liver", np.zeros((9, 16), np.uint8)), VALUES) is None


def test_a_row_has_its_gain_over_the_query_as_it_was() -> None:
    archive, asked = archive_of(np.random.default_rng(1))
    rows = rows_of("refine-lesions", "choose", Material(archive.slices, [asked]), [NONE, PRODUCT], silent)
    before, after = rows
    gain = after["difference_to"][NONE]["macro_map"][0]  # type: ignore[index]
    assert gain == pytest.approx(after["macro_map"] - before["macro_map"])  # type: ignore[operator]
    assert before["difference_to"] == {}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_method_takes_hits_of_one_verdict_or_none_of_the_other(name: str) -> None:
    rng = np.random.default_rng(3)
    query, *others = (signs_of(rng.integers(0, 256, (9, 16), np.uint8)) for _ in range(4))
    for relevant, rest in ((others, []), ([], others), (others[:1], others[1:])):
        values = METHODS[name].values(query, relevant, rest)
        assert values.shape[1] == 128
        assert np.isfinite(values).all()


def test_an_unknown_method_is_refused(tmp_path: object) -> None:
    with pytest.raises(ParameterError, match="no method 'x'"):
        run_refine(tmp_path, [], [], ["x"], silent)  # type: ignore[arg-type]

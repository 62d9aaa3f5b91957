"""Drawn people are as real ones: counts, neighbours, and how far others are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.speed.people import FLIPPED_SHARE, People, Person, bits_of, distances, neighbour_differences
from benchmark.speed.phantom import phantom_frame, series_uid
from benchmark.speed.real_codes import RealSeries, read_codes
from hmar.config import Settings
from hmar.errors import ConfigError
from hmar.index.windows import offsets_of
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import CodeArray, hamming
from tests.benchmark.speed.real import SLICES, body, index_phantoms

REAL = [body(number) for number in range(6)]


def as_series(person: Person) -> RealSeries:
    return RealSeries(
        "drawn", person.global_codes, person.window_codes, person.window_ids, offsets_of(person.counts)
    )


def neighbours(series: RealSeries) -> float:
    """Return the mean number of bits that a window differs in from the same one of the next slice."""
    differing = [neighbour_differences(series, frame) for frame in range(len(series) - 1)]
    return float(np.bitwise_count(np.concatenate(differing)).sum(axis=1).mean())


def test_there_are_as_many_frames_as_asked_for_and_a_seed_gives_the_same_people() -> None:
    people = People(REAL)
    drawn = list(people.drawn(3 * SLICES + 5))
    assert [len(person.counts) for person in drawn] == [SLICES, SLICES, SLICES, 5]
    assert all(len(person.window_codes) == len(person.window_ids) == person.counts.sum() for person in drawn)
    again = list(people.drawn(3 * SLICES + 5))
    assert all((one.window_codes == two.window_codes).all() for one, two in zip(drawn, again, strict=True))
    other = next(people.drawn(SLICES, seed=1))
    assert (other.window_codes != drawn[0].window_codes).any()


def test_neighbouring_slices_differ_as_real_ones_do_and_by_the_flips() -> None:
    real = np.mean([neighbours(one) for one in REAL])
    drawn = np.mean([neighbours(as_series(person)) for person in People(REAL).drawn(20 * SLICES)])
    assert real < drawn < (1 + 3 * FLIPPED_SHARE) * real


def test_a_drawn_person_is_like_other_people_and_is_none_of_them() -> None:
    def apart(codes: CodeArray) -> list[float]:
        return sorted(float(hamming(codes, one.window_codes).mean()) for one in REAL)

    between = apart(REAL[0].window_codes)[1:]
    for person in People(REAL).drawn(20 * SLICES):
        nearest, *others = apart(person.window_codes)
        assert 2 < nearest < 0.5 * between[0]
        assert others == pytest.approx(between, rel=0.35)


def test_a_share_of_the_bits_the_same_throughout_comes_from_another_patient() -> None:
    zeros = replace(body(1), window_codes=np.zeros_like(body(1).window_codes))
    ones = replace(zeros, patient="another", window_codes=zeros.window_codes + 255)
    for person in People([zeros, ones]).drawn(20 * SLICES):
        [code] = np.unique(person.window_codes, axis=0)
        share = np.unpackbits(code).mean()
        assert 0.05 < min(share, 1 - share) < 0.5
    [person] = People([zeros]).drawn(SLICES)
    assert not person.window_codes.any(), "there is nobody to take bits from"


def test_distances_are_those_of_every_pair() -> None:
    codes, others = bits_of(np.random.default_rng(0), (5,), 0.5), bits_of(np.random.default_rng(1), (7,), 0.3)
    expected = [[int(hamming(code, other)) for other in others] for code in codes]
    assert distances(codes, others).tolist() == expected


def test_codes_are_those_of_the_archive_but_for_the_people_who_are_asked_with(tmp_path) -> None:
    settings = Settings(home=tmp_path, model_dir="thumbnail").checked()
    with pytest.raises(ConfigError, match="codes of 0 patients"):
        read_codes(settings)
    index_phantoms(tmp_path, patients=3)
    codes = read_codes(settings, queries=5)
    assert codes.queries.shape == (5, 9, 16)
    assert [len(one) for one in codes.series] == [2, 2]
    everybody = {series_uid(number, 2) for number in (0, 2, 4)}
    asking = everybody - {one.patient for one in codes.series}
    assert len(asking) == 1, "all slices of one patient are set aside, and no others"
    assert {one.patient for one in read_codes(settings, queries=1, seed=2).series} < everybody
    one = codes.series[0]
    alone = ThumbnailEncoder().encode(phantom_frame(2 * sorted(everybody).index(one.patient) + 1, 128))
    # Files hold whole numbers, which the phantom's are not. Slices lie by their height, the second first.
    assert one.window_ids[one.windows(0)].tolist() == alone.window_ids.tolist()
    assert hamming(one.window_codes[one.windows(0)], alone.window_codes).mean() < 1
    for file in (tmp_path / "phantoms").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="None of the 2 frames"):
        read_codes(settings)

import hashlib

from benchmark.lesions.people import half_of
from tests.benchmark.lesions.folders import CHOOSE, REPORT


def test_a_persons_half_is_the_parity_of_the_first_two_digits_of_a_hash():
    for number in range(1, 40):
        name = f"STS_{number:03d}"
        even = int(hashlib.sha256(name.encode()).hexdigest()[:2], 16) % 2 == 0
        assert half_of(name) == ("choose" if even else "report")


def test_halves_never_change():
    """What was chosen on one half must not be reported on it later."""
    names = ("STS_001", "STS_009", "STS_039", "LIDC-IDRI-0314")
    assert [half_of(name) for name in names] == ["report", "choose", "report", "choose"]
    assert {half_of(name) for name in CHOOSE} == {"choose"}
    assert {half_of(name) for name in REPORT} == {"report"}

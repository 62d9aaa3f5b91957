"""Descriptions: no word outside the vocabulary survives, whatever the text, and what is useful does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.properties.description import LENGTH, VOCABULARY, described, words_of

NAMES = frozenset(
    word
    for line in Path("tests/data/common_names.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
MEASURE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?(?:mm|ms|s|min|keV|kV|T|%)")
OTHER = re.compile(
    r"[0-9]{1,2}\.[0-9]{1,3}|[0-9](?:\.[0-9]+)?x[0-9](?:\.[0-9]+)?|b[0-9]{1,4}"
    r"|[A-Z][A-Z]?[0-9]{2}[A-Z]?|(?:C|T|TH|L|S)[0-9]{1,2}"
)

typed = st.text(max_size=80)
pieces = st.lists(
    st.one_of(
        st.sampled_from(sorted(VOCABULARY)),
        st.sampled_from(sorted(NAMES)),
        st.sampled_from(
            ["+KM", "-KM", "w/o", "W/", "5 mm", "1,25", "T2*", "b=800", "12.5.", "0815", "#1", "R/O"]
        ),
        st.text(max_size=8),
    ),
    max_size=14,
)
separators = st.sampled_from([" ", "_", "/", "^", "-", ", ", "\\", "."])
texts = st.one_of(typed, st.builds(lambda words, between: between.join(words), pieces, separators))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Thorax 1.25mm LUNGE AX", "THORAX 1.25mm LUNGE AX"),
        ("t2_tse_tra", "T2 TSE TRA"),
        ("SAG FLAIR 3D", "SAG FLAIR 3D"),
        ("CT ABD WITH CONTRAST PV", "CT ABD WITH CONTRAST PV"),
        ("t1_vibe_fs_tra_bh_dyn", "T1 VIBE FS TRA BH DYN"),
        ("Abd.CT 5.0 B30s", "ABD CT 5.0 B30S"),
        ("CHEST 2.5 MM/ABD.PEL 2.5MM", "CHEST 2.5mm ABD PEL 2.5mm"),
        ("SmartScore - Gated 0.5 sec", "SMARTSCORE GATED 0.5s"),
        ("SmartPrepSeries", "SMART PREP SERIES"),
        ("ep2d_diff_b0_b800_ADC", "DIFF B0 b800 ADC"),
        ("DWI b = 1000", "DWI b1000"),
        ("T2* axial", "T2STAR AXIAL"),
        ("LWS L5/S1 sag, Schädel", "LWS L5 S1 SAG SCHÄDEL"),
        ("Scha\u0308del", "SCHÄDEL"),
        ("CE-MRA 3 T, 1,5 mm", "CE MRA 1.5mm"),
        ("Thorax low dose", "THORAX LOWDOSE"),
        ("Fuß 40 %", "FUSS 40%"),
        ("Recon 3: Dr. Mustermann", "RECON"),
        ("Mustermann^Erika", None),
        ("", None),
        ("with and of", None),
    ],
)
def test_words_of_protocols_are_kept(text: str, kept: str | None) -> None:
    assert described(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Headley",
        "Mc Brainard",
        "geb. 12.05.1962",
        "12.5. 1962",
        "b1962",
        "B 1950",
        "Pat.-Nr. 0815",
        "QX7-4711",
        "0815mm",
        "62 J",
        "1234567",
        "Ms. Miller",
        "1962 Ms Miller",
        "Low, Young",
        "²³",
        "\u0661\u0662mm",
    ],
)
def test_nothing_is_left_of_names_dates_and_numbers(text: str) -> None:
    assert described(text) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CT CHEST W/O CONTRAST", "CT CHEST WITHOUT CONTRAST"),
        ("CT CHEST W/ CONTRAST", "CT CHEST WITH CONTRAST"),
        ("CT CHEST W IV CON", "CT CHEST WITH IV CON"),
        ("Abdomen o. KM", "ABDOMEN OHNE KM"),
        ("Abdomen m.KM", "ABDOMEN MIT KM"),
        ("T1 -KM", "T1"),
        ("T1 sans contrast", "T1"),
        ("T1 minus Gd axial", "T1 AXIAL"),
        ("non-contrast head", "NON CONTRAST HEAD"),
        ("CT nativ, KM-Allergie", "CT NATIV"),
        ("Abdomen mit KM verweigert", "ABDOMEN"),
        ("CHEST CONTRAST: NONE", "CHEST"),
        ("KM: nein, Thorax", "THORAX"),
        ("CHEST CONTRAST NOT GIVEN", "CHEST"),
        ("CHEST WITH CONTRAST 3", "CHEST WITH CONTRAST"),
    ],
)
def test_contrast_medium_is_never_said_to_be_where_it_was_not(text: str, kept: str) -> None:
    assert described(text) == kept


def test_no_word_is_a_common_name() -> None:
    assert {"TSE"} == VOCABULARY & NAMES  # turbo spin echo: most protocols of MR have it
    assert all(word == word.upper() and len(word) > 1 for word in VOCABULARY)
    assert len(NAMES) > 800


@given(texts)
def test_no_word_outside_the_vocabulary_survives(text: str) -> None:
    kept = described(text)
    for word in (kept or "").split(" " if kept else None):
        assert word in VOCABULARY or MEASURE.fullmatch(word) or OTHER.fullmatch(word), (text, word)


@given(texts)
def test_what_is_kept_is_kept_as_it_is_and_is_no_longer_than_its_column(text: str) -> None:
    kept = described(text)
    if kept is not None:
        assert described(kept) == kept
        assert None not in words_of(kept)
        assert 0 < len(kept) <= LENGTH


@given(
    st.sampled_from(sorted(NAMES - {"TSE"})),
    st.sampled_from([str.upper, str.lower, str.title]),
    pieces,
    separators,
)
def test_a_name_leaves_nothing_wherever_it_stands(
    name: str, cased: Callable[[str], str], words: list[str], between: str
) -> None:
    for text in (cased(name), between.join([*words, cased(name)]), between.join([cased(name), *words])):
        assert name not in (described(text) or "").split()

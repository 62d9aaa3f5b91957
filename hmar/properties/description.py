"""The description of a series, reduced to words that can name nobody.

People type what they like into descriptions, names among it. Kept are words of one vocabulary
(``description_words.toml``) and numbers that are measures; everything else is dropped, word by word.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib.resources import files

LENGTH = 64
"""Characters of the longest description that is kept; as many as one has in a header (VR LO, PS3.5 6.2)."""
_READ = 4 * LENGTH
"""Characters that are looked at, for headers may break the rule."""


def _vocabulary() -> dict[str, frozenset[str]]:
    text = files("hmar.properties").joinpath("description_words.toml").read_text("utf-8")
    return {group: frozenset(words.split()) for group, words in tomllib.loads(text).items()}


_GROUPS = _vocabulary()
VOCABULARY = frozenset().union(*_GROUPS.values())
"""Every word that may be kept, in upper case."""
_LEADING, _JOINING, _CONTRAST = (_GROUPS[name] for name in ("leading", "joining", "contrast"))

# W/O and o. KM are two tokens that turn what follows into its opposite; B=1000 and T2* are one.
_WRITTEN_OUT = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"(?<!\w)W\s?/\s?O(?!\w)", " without "),
        (r"(?<!\w)W(?:\s?/|(?=\s+(?:IV|ORAL|CON)))", " with "),
        (r"(?<!\w)LOW[\s-]+DOSE(?!\w)", " LOWDOSE "),
        (r"(?<!\w)O\.?\s?(?=KM(?!\w))", " ohne "),
        (r"(?<!\w)M\.?\s?(?=KM(?!\w))", " mit "),
        (r"(?<!\w)B\s?=\s?(?=[0-9])", " b"),
        (r"(?<!\w)T2\s?\*", " T2STAR "),
        (r"[0-9]+\.[0-9]+\.(?!\w)", " "),  # a day and its month
        (r"([0-9])\s+(?=(?:mm|ms|sec|min|keV|kV|%)(?!\w))", r"\1"),
    )
)
# A number keeps its point or comma; a minus that stands before a word is a token, for "-KM" means without.
_TOKEN = re.compile(r"(?:[^\W_]|(?<=[0-9])[.,](?=[0-9]))+%?|(?<!\S)-(?=\w)")
_PART = re.compile(r"[A-ZÄÖÜ]?[a-zäöüß]+|[A-ZÄÖÜ]+(?![a-zäöüß])|[0-9]+")

_MEASURE = re.compile(
    r"(?P<number>(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,3})?)"
    r"(?P<unit>MM|MS|S|SEC|MIN|KEV|KV|T|%)"
    r"|(?P<long>(?!(?:19|20)(?!00))[1-9][0-9]{3})MS"
)
_UNITS = {"MM": "mm", "MS": "ms", "S": "s", "SEC": "s", "MIN": "min", "KEV": "keV", "KV": "kV"}
# Without a unit, only what is no date, age or running number: slice thickness, and thickness x increment.
_PLAIN = re.compile(r"0\.[0-9]{1,3}|[1-9]\.[0-9]|[1-9]\.[0-9]?[27]5|10\.0")
_PAIR = re.compile(r"(?:0|[1-9])(?:\.[0-9]{1,3})?X(?:0|[1-9])(?:\.[0-9]{1,3})?")
_B_VALUE = re.compile(r"B(0|[1-9][0-9]{0,3})")
# Siemens (B31F, HR60D), and Canon and Toshiba (FC08).
_KERNEL = re.compile(r"[BHUIJD][1-8][0-9][FSHM]|[BHQ][CFLPRVX][1-9][0-9][DFSU]?|FC[0-9]{2}")
_LEVEL = re.compile(r"C[1-7]|TH(?:[1-9]|1[0-2])|T(?:[3-9]|1[0-2])|L[1-5]|S[1-5]")


def described(text: str) -> str | None:
    """Return what may be kept of a description, None if nothing is left of it.

    Words in upper case, in their order, with single spaces between them; measures in their units, such as
    ``1.25mm``; 64 characters at most. What is returned is returned as it is if it is given again.
    """
    kept: list[str] = []
    length = -1
    for word in words_of(text):
        if word is None:
            continue
        length += 1 + len(word)
        if length > LENGTH:
            break
        kept.append(word)
    while kept and kept[-1] in _LEADING | _JOINING:
        kept.pop()
    return " ".join(kept) or None


def words_of(text: str) -> list[str | None]:
    """Return the words of a description in the form in which they are kept, None for each that is not.

    A word such as "with" is kept before a kept one alone, and one such as "and" between two. A word for
    contrast medium is not kept beside a dropped one, which may say that there was none; a dropped number that
    follows says nothing of it.
    """
    found = [None, *_forms(text), None]
    first, last = 1, len(found) - 2
    for at in range(last, 0, -1):
        denied = found[at] in _CONTRAST and found[at + 1] is None and at < last
        if denied or (found[at] in _LEADING | _JOINING and not found[at + 1]):
            found[at] = None
    for at in range(first, last + 1):
        denied = found[at] in _CONTRAST and at > first
        if not found[at - 1] and (denied or found[at] in _JOINING):
            found[at] = None
    return [word or None for word in found[1:-1]]


def _forms(text: str) -> Iterator[str | None]:
    """Yield words as they are kept, None for one that is dropped, and an empty text for such a number."""
    text = unicodedata.normalize("NFC", text[:_READ])
    for pattern, words in _WRITTEN_OUT:
        text = pattern.sub(words, text)
    for token in _TOKEN.finditer(text):
        yield from _form(token[0])


def _form(token: str) -> list[str | None]:
    """Return a token as :func:`_forms` yields it; several where it is several words."""
    word = token.upper()
    if word in VOCABULARY:
        return [word]
    if (number := _number(word.replace(",", "."))) is not None:
        return [number]
    parts = [part.upper() for part in _PART.findall(token)]
    if len(parts) > 1 and "".join(parts) == word and VOCABULARY.issuperset(parts):
        return list(parts)
    is_number = word[0].isdecimal() and not any(map(str.isalpha, word))
    return ["" if is_number else None]


def _number(word: str) -> str | None:
    """Return a measure, a kernel or the level of a vertebra as it is kept, None for anything else."""
    if measure := _MEASURE.fullmatch(word):
        if measure["long"]:
            return f"{measure['long']}ms"
        return measure["number"] + _UNITS.get(measure["unit"], measure["unit"])
    if b_value := _B_VALUE.fullmatch(word):
        return f"b{b_value[1]}" if _is_b_value(int(b_value[1])) else None
    if _PAIR.fullmatch(word):
        return word.replace("X", "x")
    return word if any(form.fullmatch(word) for form in (_PLAIN, _KERNEL, _LEVEL)) else None


def _is_b_value(value: int) -> bool:
    """Whether diffusion is weighted so (s/mm²), and the number is no year of birth that follows a "b"."""
    return value % (5 if value <= 100 else 50) == 0 and value <= 5000 and value != 1950

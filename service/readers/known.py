"""What every reader refuses alike: a field that is not known, and one that comes twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hmar.errors import ParameterError, shown


def check_once(names: Iterable[str], what: str = "field") -> None:
    """Check that no field comes twice.

    Parameters
    ----------
    names : iterable of str
        A name for each time that a field was sent.
    what : str
        What the fields are called.

    Raises
    ------
    ParameterError
        For the first field that comes a second time.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise repeated_field(name, what)
        seen.add(name)


def unknown_field(name: str, known: Collection[str], what: str = "field") -> ParameterError:
    """Return the error for a field that is not known."""
    remedy = f"Use {', '.join(sorted(known))}." if known else "Leave it out: there are none here."
    return ParameterError(f"There is no {what} {shown(name)}.", remedy)


def repeated_field(name: str, what: str = "field") -> ParameterError:
    """Return the error for a field that comes twice."""
    return ParameterError(f"The {what} {shown(name)} comes more than once.", "Send it once.")

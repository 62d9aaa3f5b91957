"""Following a PACS: what is followed and how, how far that is, and what the PACS tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from hmar.values.background import time_text
from hmar.values.plain import Json
from hmar.values.pulls import InstanceReference, Pull

FollowKind = Literal["orthanc", "qido"]
SweepKind = Literal["sweep", "resync", "delete"]
"""Compare what both sides have; fetch all again, too; delete what is not there, however much that is."""
FOLLOW_KINDS: tuple[FollowKind, ...] = get_args(FollowKind)
SWEEP_KINDS: tuple[SweepKind, ...] = get_args(SweepKind)


@dataclass(frozen=True, slots=True)
class Follow:
    """How a PACS is followed.

    Parameters
    ----------
    kind : str
        ``orthanc`` reads its feed of changes, ``qido`` asks for the studies of the last days.
    pull : Pull
        What is wanted of it: its name, and maybe a modality and the first study date.
    root : str
        Of Orthanc's own REST API, without a slash at the end; empty for another kind.
    collection : str
        Where frames are added.
    every_s, sweep_s : float
        Pause between two looks, and between two sweeps, in seconds.
    days : int
        Study dates that a look of the kind ``qido`` goes back.
    most_deleted : float
        Share, from 0 to 1, of what is held of the PACS that a sweep may delete by itself.
    """

    kind: FollowKind
    pull: Pull
    root: str = ""
    collection: str = "default"
    every_s: float = 10.0
    sweep_s: float = 86400.0
    days: int = 3
    most_deleted: float = 0.1

    @property
    def site(self) -> str:
        """Name of the PACS."""
        return self.pull.site


@dataclass(frozen=True, slots=True)
class FollowState:
    """How far a PACS is followed; times are seconds since the epoch.

    Parameters
    ----------
    cursor : str or None
        Up to where news is taken, as its feed writes it; None before the first look.
    resets : int
        How often the feed began anew.
    behind : int
        News, at most, that was not taken yet.
    looked_at, caught_up_at : float or None
        When it was last looked, and when nothing was left.
    failures : int
        Looks in a row that failed.
    failing_since : float or None
        Time of the first of them.
    reason : str or None
        Why the last of them failed, or could not take everything.
    failed : int
        Looks that failed since the beginning.
    arrived, deleted : int
        Instances that were handed to indexing, and that were deleted, since the beginning.
    sweep : str or None
        The sweep that goes on. One that compares becomes one that deletes.
    sweep_after : str
        UID of the last study that it is done with.
    sweep_begun_at, swept_at : float or None
        When the last sweep began, and when one last ended.
    only_there, only_here : int
        Instances that the last comparison found only in the PACS, and only in the archive.
    skipped : int
        Studies of which the PACS could not tell in that sweep.
    stopped : str or None
        What the last sweep did not do, and why.
    """

    cursor: str | None = None
    resets: int = 0
    behind: int = 0
    looked_at: float | None = None
    caught_up_at: float | None = None
    failures: int = 0
    failing_since: float | None = None
    reason: str | None = None
    failed: int = 0
    arrived: int = 0
    deleted: int = 0
    sweep: SweepKind | None = None
    sweep_after: str = ""
    sweep_begun_at: float | None = None
    swept_at: float | None = None
    only_there: int = 0
    only_here: int = 0
    skipped: int = 0
    stopped: str | None = None


class Followed(NamedTuple):
    """How far a PACS is followed, what somebody has asked for since, and whether it is watched now."""

    state: FollowState
    asked: SweepKind | None = None
    watched: bool = False


class News(NamedTuple):
    """What a PACS tells at once.

    Parameters
    ----------
    arrived : sequence of InstanceReference
        Instances that came, in order.
    cursor : str
        Where the next news begins.
    behind : int
        How much more there is, at most.
    again : bool
        Whether instances that are known came again, with other pixels maybe.
    deleted : bool
        Whether something was deleted.
    reset : bool
        Whether the feed began anew: what it told before this cursor is not known.
    trouble : str or None
        Why some of it could not be told.
    """

    arrived: Sequence[InstanceReference]
    cursor: str
    behind: int = 0
    again: bool = False
    deleted: bool = False
    reset: bool = False
    trouble: str | None = None


class HeldInstance(NamedTuple):
    """An instance of the archive that came from a PACS; its own UID is another where two images share one."""

    collection: str
    sop_instance_uid: str
    reference: InstanceReference


@dataclass(frozen=True, slots=True)
class FollowInfo:
    """A PACS of the site as it is listed."""

    name: str
    follow: Follow | None
    followed: Followed
    now: float

    @property
    def lag_s(self) -> float | None:
        """Seconds since nothing was left to take; None before that was ever so."""
        caught_up_at = self.followed.state.caught_up_at
        return None if caught_up_at is None else max(0.0, self.now - caught_up_at)

    def to_dict(self) -> Json:
        """Return it as the API does; what is not followed has a name alone."""
        if self.follow is None:
            return {"name": self.name, "followed": None}
        state, lag_s = self.followed.state, self.lag_s
        return {
            "name": self.name,
            "followed": {
                "kind": self.follow.kind,
                "collection": self.follow.collection,
                "watched": self.followed.watched,
                "cursor": state.cursor,
                "behind": state.behind,
                "lag_s": None if lag_s is None else round(lag_s, 3),
                "looked_at": _time(state.looked_at),
                "failures": state.failures,
                "failing_since": _time(state.failing_since),
                "reason": state.reason,
                "resets": state.resets,
                "arrived": state.arrived,
                "deleted": state.deleted,
                "sweep": self.followed.asked or state.sweep,
                "swept_at": _time(state.swept_at),
                "only_there": state.only_there,
                "only_here": state.only_here,
                "stopped": state.stopped,
            },
        }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else time_text(seconds)

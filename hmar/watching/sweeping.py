"""A sweep over one PACS: both sides are compared, study by study, and what is gone there is deleted here."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from hmar.errors import NotFoundError, PacsError
from hmar.ports import FollowStore, PacsHoldings, PacsImages
from hmar.values.deletion import Selector
from hmar.values.follows import Follow, FollowState, SweepKind
from hmar.values.pulls import InstanceReference, Pull
from hmar.watching.intake import Intake

STUDIES = 20
"""Studies of one step, at most."""
INSTANCES = 500
"""Instances of one step, more or less."""
PATIENCE = 3
"""A study of which the PACS cannot tell is left out after so many looks that failed, so that a sweep ends."""

Delete = Callable[[Selector, str], object]
"""Deletes what a selector stands for in a collection."""
Record = Callable[[str, str], None]
"""Writes to the audit log that instances of a study were deleted because a PACS has them no more."""


def begun(state: FollowState, kind: SweepKind, now: float) -> FollowState:
    """Return the state in which a sweep begins."""
    if kind == "delete":
        return replace(state, sweep=kind, skipped=0)
    return replace(
        state, sweep=kind, sweep_after="", sweep_begun_at=now, only_there=0, only_here=0, skipped=0
    )


class Sweeper:
    """Sweeps one PACS, a step at a time. What a step has done is durable before its state is.

    Parameters
    ----------
    follow : Follow
    pacs : PacsImages
    store : FollowStore
    holdings : PacsHoldings
    intake : Intake
    delete : Delete
    record : Record
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(
        self,
        follow: Follow,
        pacs: PacsImages,
        store: FollowStore,
        holdings: PacsHoldings,
        intake: Intake,
        delete: Delete,
        record: Record,
        clock: Callable[[], float],
    ) -> None:
        self._follow, self._pacs, self._store, self._holdings = follow, pacs, store, holdings
        self._intake, self._delete, self._record, self._clock = intake, delete, record, clock
        self._listed: tuple[float | None, list[str], frozenset[str]] | None = None

    def step(self, state: FollowState) -> FollowState:
        """Do the next part of the sweep that goes on; return the state after it.

        Raises
        ------
        PacsError
            If the PACS does not answer. The step is done again from where it failed.
        """
        if state.sweep == "delete":
            return self._deleted(state)
        return self._compared(state)

    def _compared(self, state: FollowState) -> FollowState:
        studies, wanted = self._studies(state)
        done = bisect_right(studies, state.sweep_after)
        left = studies[done : done + STUDIES]
        if not left:
            return self._judged(state)
        found: list[InstanceReference] = []
        only_there, only_here, skipped = state.only_there, state.only_here, state.skipped
        for number, study_uid in enumerate(left):
            try:
                there = self._there(study_uid) if study_uid in wanted else []
                gone = self._gone(study_uid, there)
            except PacsError:
                if number > 0:
                    break
                if state.failures < PATIENCE:
                    raise
                there, gone, skipped = [], set(), skipped + 1
            compared = study_uid
            self._store.note_gone(self._follow.site, gone)
            unknown = self._intake.unknown(there)
            found += there if state.sweep == "resync" else unknown
            only_there, only_here = only_there + len(unknown), only_here + len(gone)
            if len(found) >= INSTANCES:
                break
        self._intake.take(found, f"{state.sweep_begun_at} {state.sweep_after}")
        return replace(
            state,
            sweep_after=compared,
            only_there=only_there,
            only_here=only_here,
            skipped=skipped,
            arrived=state.arrived + len(found),
        )

    def _studies(self, state: FollowState) -> tuple[list[str], frozenset[str]]:
        """Return the studies of both sides, sorted, and those of the PACS; listed once for a sweep."""
        if self._listed is None or self._listed[0] != state.sweep_begun_at:
            site, wanted = self._follow.site, frozenset(self._pacs.studies(self._follow.pull))
            if not state.sweep_after:
                # What an older sweep has found is found again, or is back.
                while old := self._store.gone(site, INSTANCES):
                    self._store.note_back(site, old)
            self._listed = state.sweep_begun_at, sorted(wanted.union(self._holdings.studies(site))), wanted
        return self._listed[1:]

    def _there(self, study_uid: str) -> list[InstanceReference]:
        """Return what the PACS lists of a study, as far as it is wanted."""
        pull = Pull(self._follow.site, modality=self._follow.pull.modality, study_uid=study_uid)
        with suppress(NotFoundError):
            # What a server keeps back of a series has no UID.
            return [
                InstanceReference.parse(reference)
                for reference in self._pacs.list(str(pull))
                if " of " not in reference
            ]
        return []

    def _gone(self, study_uid: str, there: Sequence[InstanceReference]) -> set[InstanceReference]:
        """Return what is held of a study, and what the PACS has no more."""
        held = {one.reference for one in self._holdings.of_study(self._follow.site, study_uid)}
        left = held.difference(there)
        return self._pacs.gone(left) if left else set()

    def _judged(self, state: FollowState) -> FollowState:
        """Return the state after everything was compared: what is gone is deleted, unless it is too much."""
        gone = self._store.gone_count(self._follow.site)
        held = self._holdings.count(self._follow.site)
        if gone > self._follow.most_deleted * held:
            name = self._follow.site
            return self._ended(
                state,
                f"The PACS {name} has {gone} of {held} instances no more: more than a sweep may delete, "
                f"{self._follow.most_deleted:.0%}. Nothing was deleted. If they shall be, run "
                f"'hmar pacs delete-gone {name}'.",
            )
        return replace(state, sweep="delete") if gone else self._ended(state, None)

    def _ended(self, state: FollowState, stopped: str | None) -> FollowState:
        self._listed = None
        if state.skipped and stopped is None:
            name = self._follow.site
            stopped = (
                f"The PACS {name} could not tell of {state.skipped} studies: nothing of them was compared or "
                f"deleted. Run 'hmar doctor pacs:{name}', and see its log."
            )
        return replace(
            state,
            sweep=None,
            sweep_after="",
            swept_at=self._clock(),
            only_here=self._store.gone_count(self._follow.site),
            stopped=stopped,
        )

    def _deleted(self, state: FollowState) -> FollowState:
        """Delete some of what is gone, after the PACS was asked once more: it may be back."""
        site, done, skipped = self._follow.site, 0, state.skipped
        noted = self._store.gone(site, INSTANCES)
        if not noted:
            return self._ended(state, None)
        of_study = defaultdict(set)
        for reference in noted:
            of_study[reference.study_uid].add(reference)
        for study_uid, references in of_study.items():
            try:
                gone = self._pacs.gone(references)
            except PacsError:
                if state.failures < PATIENCE:
                    raise
                gone, skipped = set(), skipped + 1
            self._store.note_back(site, references - gone)
            held = [one for one in self._holdings.of_study(site, study_uid) if one.reference in gone]
            if held:
                self._record(site, study_uid)
            for one in held:
                self._delete(Selector("instance", one.sop_instance_uid), one.collection)
            self._store.note_deleted(site, gone)
            done += len(held)
        return replace(state, deleted=state.deleted + done, skipped=skipped)

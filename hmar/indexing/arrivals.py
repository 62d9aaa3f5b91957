"""The audit log is told of every study that came from elsewhere: pulled, pushed or uploaded."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from hmar.uploads import UPLOAD
from hmar.values.audit import Accessed
from hmar.values.frames import FrameInfo
from hmar.values.jobs import Item
from hmar.values.pulls import PACS

OPERATION = "receiveStudy"
MOST = 10_000
"""Studies remembered; one that comes again after so many others is told once more."""
_FROM = {PACS: "pull", UPLOAD: "push or upload"}
"""What is told of: folders of the server belong to it already."""


class Arrivals:
    """Tells of each study once for each job. Thread-safe enough: at worst one is told twice.

    Parameters
    ----------
    append : callable
        Appends to the audit log; raises OperatorError.
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(
        self, append: Callable[[Sequence[Accessed]], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._append, self._clock = append, clock
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, item: Item, info: FrameInfo) -> None:
        """Tell of the study of a file that is about to be indexed, unless that was done."""
        key = (item.job_id, info.study_uid)
        actor = _FROM.get(item.origin.source)
        if actor is None or key in self._told:
            return
        touched = {("study", info.study_uid)}
        if info.patient_key is not None:
            touched.add(("patient", info.patient_key))
        self._append(
            [Accessed(self._clock(), OPERATION, actor, "index", "worker", 0, "", frozenset(touched))]
        )
        self._told[key] = None
        if len(self._told) > MOST:
            self._told.popitem(last=False)

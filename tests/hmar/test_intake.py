"""What was pushed goes from the spool into jobs, whatever happens to some of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from hmar.adapters.memory import InlineQueue, MemoryCatalogue, MemoryJobStore
from hmar.adapters.upload_store import UploadStore
from hmar.errors import DecodeError, UnavailableError
from hmar.indexing.intake import Intake
from hmar.indexing.receiving import Receiver
from hmar.spool import DAMAGED, LISTENER, STOW, Spool, Spooled
from hmar.uploads import KeptUploads
from hmar.values.identified import Identified
from hmar.values.jobs import ItemState, JobState


class Rig(NamedTuple):
    spool: Spool
    jobs: MemoryJobStore
    intake: Intake

    def receive(self, content: bytes) -> Spooled:
        draft = self.spool.draft(LISTENER, "default", 1 << 20, lambda: None)
        draft.write(content)
        return draft.keep("default")

    def taken(self) -> list[str]:
        """Return the references of all items of all jobs."""
        listed = self.jobs.listed(set(JobState), 100)
        return [
            item.origin.reference
            for job in listed
            for item in self.jobs.items(job.job_id, set(ItemState), 100)
        ]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    spool, jobs = Spool(tmp_path / "spool"), MemoryJobStore()
    (tmp_path / "spool").mkdir()
    kept = KeptUploads(UploadStore(tmp_path / "uploads"), jobs, MemoryCatalogue())
    return Rig(spool, jobs, Intake(spool, kept, InlineQueue()))


def test_a_damaged_file_is_set_aside_and_holds_up_no_others(rig: Rig) -> None:
    damaged, whole = rig.receive(b"damaged"), rig.receive(b"whole")
    damaged.path.write_bytes(b"damage!")
    with pytest.raises(UnavailableError, match="what was read back differs"):
        rig.intake.sweep(LISTENER)
    assert rig.intake.sweep(LISTENER) == 1
    assert rig.taken() == [whole.reference]
    assert Path(f"{damaged.path}{DAMAGED}").read_bytes() == b"damage!"
    assert rig.intake.sweep(LISTENER) == 0


def test_a_request_that_fails_forgets_nothing_that_another_was_told_is_kept(rig: Rig) -> None:
    def identify(_content: object) -> Identified:
        return Identified("1.2", "1.2.3", "1.2.4", has_pixels=True, decodable=True, fault=None)

    def a_request_that_fails() -> None:
        with receiver.kept() as forgotten:
            for files in (forgotten, kept):
                assert receiver.receive("default", [b"same"], None, files).failure is None
            raise DecodeError("The rest is none.", "Send it again.")

    receiver = Receiver(rig.spool, identify, 1 << 20, lambda: None, STOW)
    with receiver.kept() as kept:
        with pytest.raises(DecodeError):
            a_request_that_fails()
        assert rig.intake.take("default", kept) is not None
    assert rig.taken() == [kept[0].reference]
    assert list(rig.spool.waiting()) == []


def test_what_came_twice_is_one_item(rig: Rig) -> None:
    one, _again = rig.receive(b"same"), rig.receive(b"same")
    assert rig.intake.sweep() == 2
    assert rig.taken() == [one.reference]
    assert list(rig.spool.waiting()) == []

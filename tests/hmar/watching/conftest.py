"""An archive that follows an Orthanc, or another PACS, of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hmar.config import IN_MEMORY, INLINE, Settings
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.values.follows import FollowState
from hmar.values.jobs import ItemState, JobState
from hmar.watching.watcher import Watcher
from hmar.wiring import Engine, build_engine
from tests.orthanc_stub import StubOrthanc
from tests.phantoms import ct_file

FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]


class Followed:
    """An archive, and who watches a PACS for it. Jobs are done before ``look`` returns."""

    def __init__(
        self, folder: Path, url: str, decoder: ContainedDecoder, follow: str, **settings: Any
    ) -> None:
        home = folder / "home"
        home.mkdir()
        (home / "pacs.toml").write_text(
            f'[main]\nroot = "{url}/dicom-web"\ntries = 1\n[main.follow]\nevery_s = 1e-6\n{follow}'
        )
        chosen = {
            "redis_url": INLINE,
            "database_url": IN_MEMORY,
            "model_dir": "thumbnail",
            "max_attempts": 1,
            **settings,
        }
        self.engine: Engine = build_engine(Settings(home=home, **chosen).checked(), decoder=decoder)
        [self.watcher] = self.engine.watchers()

    def again(self) -> Watcher:
        """Return who watches after the one before has ended."""
        self.watcher.close()
        [self.watcher] = self.engine.watchers()
        return self.watcher

    def settle(self) -> FollowState:
        """Look until there is nothing to do."""
        while self.watcher.look():
            pass
        return self.state

    def swept(self, kind: Any = "sweep") -> FollowState:
        self.engine.following.ask("main", kind)
        return self.settle()

    @property
    def state(self) -> FollowState:
        return self.engine.storage.follows.followed("main").state

    def held(self, collection: str = "default") -> list[str]:
        """Return the SOP Instance UIDs of what is indexed."""
        found = self.engine.catalogue.changes(0, 10_000).changes
        return sorted(
            change.entry.info.sop_instance_uid
            for change in found
            if change.entry is not None and change.collection == collection
        )

    def items(self) -> list[tuple[str, ItemState]]:
        """Return the references of all items of all jobs, and how each ended."""
        jobs = self.engine.jobs
        listed = jobs.listed(set(JobState), 1000)
        return [
            (item.origin.reference, item.state)
            for job in listed
            for item in jobs.items(job.job_id, set(ItemState), 10_000)
        ]


OpenFollowed = Callable[..., Followed]


@pytest.fixture
def orthanc() -> Iterator[StubOrthanc]:
    with StubOrthanc.serving([]) as stub:
        yield stub


@pytest.fixture(scope="session")
def decoder() -> Iterator[ContainedDecoder]:
    """Child processes are started once for all tests."""
    opened = ContainedDecoder(DecodeLimits.of(Settings()), bytes(32))
    yield opened
    opened.close()


@pytest.fixture
def follow(tmp_path: Path, orthanc: StubOrthanc, decoder: ContainedDecoder) -> Iterator[OpenFollowed]:
    opened: list[Followed] = []

    def open_it(more: str = "", **settings: Any) -> Followed:
        text = f'kind = "orthanc"\nroot = "{orthanc.url}"\n{more}'
        opened.append(Followed(tmp_path, orthanc.url, decoder, text, **settings))
        return opened[-1]

    yield open_it
    for one in opened:
        one.engine.close()

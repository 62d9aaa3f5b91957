"""What a client is told of why a frame was found is what the archive says."""

from __future__ import annotations

import pytest

import hmar
from hmar.errors import NotFoundError, RegionError
from tests.hmar.client.conftest import Served
from tests.phantoms import sop_uid
from tests.service.conftest import NODULE

pytestmark = pytest.mark.slow
REGION = (NODULE[0] - 12, NODULE[1] - 12, 24.0, 24.0)
QUERY = hmar.IndexedFrame(sop_uid(1, 2))


@pytest.mark.parametrize("box", [REGION, None])
def test_why_is_the_same_of_a_server_and_of_its_archive(
    served: Served, box: tuple[float, float, float, float] | None
) -> None:
    client = served.client()
    [hit] = client.search(QUERY, box, k=1)
    told = client.why(QUERY, hit, box, 64)
    with hmar.Archive(served.archive.engine.settings.home, "thumbnail") as mine:
        assert told.to_dict() == mine.why(QUERY, hit, box, 64).to_dict()
        for of in ("hit", "query"):
            picture = client.why_picture(QUERY, hit, box, of=of)  # type: ignore[arg-type]
            assert picture.startswith(b"\x89PNG")
            assert picture == mine.why_picture(QUERY, hit, box, of=of)  # type: ignore[arg-type]
        for archive in (client, mine):
            with pytest.raises(NotFoundError, match=r"1\.2\.3"):
                archive.why(hmar.IndexedFrame("1.2.3"), hit)
            with pytest.raises(RegionError):
                archive.why(QUERY, hit, (9000, 9000, 5, 5))

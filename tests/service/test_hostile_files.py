"""Files that crash a decoder, sent in every way there is: one answer each, and the next file is fine."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hmar.values.entries import Origin
from hmar.values.jobs import ItemState
from tests.phantoms import ct_file
from tests.service.conftest import Archive

pytestmark = pytest.mark.slow

CRASHES = sorted((Path(__file__).parents[1] / "data" / "decoder_crashes").glob("*.dcm"))
ROUTES = ("/api/v1/render", "/api/v1/search/image")


def send(archive: Archive, route: str, data: bytes) -> tuple[int, str]:
    answer = archive.client.post(route, data={"file": (io.BytesIO(data), "x.dcm")})
    return answer.status_code, answer.headers["Content-Type"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.stem)
def test_a_file_that_crashes_a_decoder_is_a_problem_of_the_request(
    archive: Archive, route: str, path: Path
) -> None:
    assert send(archive, route, path.read_bytes()) == (422, "application/problem+json")
    assert send(archive, route, ct_file(1, 1))[0] == 200


def test_many_clients_with_good_and_bad_files_each_get_their_own_answer(archive: Archive) -> None:
    files = [path.read_bytes() for path in CRASHES] + [ct_file(1, 1)] * len(CRASHES)

    def status(step: int) -> tuple[int, int]:
        number = step % len(files)
        return number, send(archive, ROUTES[step % 3 % 2], files[number])[0]

    with ThreadPoolExecutor(8) as pool:
        for number, found in pool.map(status, range(3 * len(files))):
            assert found == (422 if number < len(CRASHES) else 200)


def test_a_job_with_such_files_indexes_all_the_others(empty_archive: Archive) -> None:
    folder = empty_archive.engine.settings.import_root / "mixed"
    folder.mkdir(parents=True)
    for number, path in enumerate(CRASHES):
        (folder / f"{number}-bad.dcm").write_bytes(path.read_bytes())
        (folder / f"{number}-good.dcm").write_bytes(ct_file(1, 1 + number))
    job_id = empty_archive.engine.indexer.submit("default", Origin("import", "mixed"))
    job = empty_archive.engine.jobs.job(job_id)
    assert job is not None
    assert job.counts[ItemState.INDEXED] == job.counts[ItemState.FAILED] == len(CRASHES)
    assert empty_archive.rows() == len(CRASHES)
    for item in empty_archive.engine.jobs.items(job_id, {ItemState.FAILED}, 100):
        assert item.attempts == 1
        assert item.reason

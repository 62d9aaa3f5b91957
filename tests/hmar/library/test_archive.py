"""An archive from Python: the same in memory and on disk."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import hmar
from hmar.errors import ConfigError, ModelError, NotFoundError, ParameterError, RegionError, UnavailableError
from hmar.image.outlines import outlined
from hmar.image.raster import render
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.added import Progress
from tests.frames import frame_info, textured_frame
from tests.hmar.dicom.build import image
from tests.phantoms import PATIENT_ID, ct_file, series_uid, sop_uid

NODULE = (60.0, 84.0)
BOX = (NODULE[0] - 10, NODULE[1] - 10, 20, 20)
SERIES, SLICES = 2, 3
FRAMES = SERIES * SLICES


KINDS = ["memory", "disk"]


def write_study(folder: Path) -> Path:
    for series in range(1, SERIES + 1):
        (folder / str(series)).mkdir(parents=True)
        for number in range(1, SLICES + 1):
            nodule = NODULE if series == 1 else None
            (folder / str(series) / f"{number}.dcm").write_bytes(ct_file(series, number, nodule))
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@pytest.fixture(params=KINDS)
def new_archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., hmar.Archive]]:
    """Archives that are empty at first."""
    made: list[hmar.Archive] = []

    def build(**arguments: Any) -> hmar.Archive:
        folder = None if request.param == "memory" else tmp_path / "home"
        made.append(hmar.Archive(folder, **{"model": "thumbnail", **arguments}))
        return made[-1]

    yield build
    for archive in made:
        archive.close()


@pytest.fixture(scope="module", params=KINDS)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[hmar.Archive]:
    """A filled archive that tests leave as it is."""
    root = tmp_path_factory.mktemp("filled")
    with hmar.Archive(None if request.param == "memory" else root / "home", "thumbnail") as filled:
        assert filled.add(write_study(root / "study")).indexed == FRAMES
        yield filled


def uids(results: hmar.Results) -> list[str]:
    return [hit.entry.info.sop_instance_uid for hit in results]


@pytest.mark.slow
def test_a_folder_is_added_once_and_told_of_as_it_goes(
    new_archive: Callable[..., hmar.Archive], study: Path
) -> None:
    archive, told = new_archive(), []
    assert len(archive) == 0
    progress: Progress = lambda done, known: told.append((done, known))  # noqa: E731
    assert archive.add(study, progress=progress).indexed == FRAMES
    assert told[-1] == (FRAMES, FRAMES)
    again = archive.add(study)
    assert (again.indexed, again.unchanged, again.frames) == (0, FRAMES, FRAMES)
    assert len(archive) == FRAMES
    (study / "1" / "9.dcm").write_bytes(ct_file(1, 9))
    assert archive.add(study).indexed == 1


@pytest.mark.slow
def test_what_cannot_be_read_is_named_and_ends_nothing(
    new_archive: Callable[..., hmar.Archive], study: Path
) -> None:
    (study / "1" / "notes.txt").write_text("no image")
    (study / "1" / "cut.dcm").write_bytes(ct_file(1, 9)[:700])
    added = new_archive().add(study)
    assert added.indexed == FRAMES
    assert [failure.file for failure in added.failures] == ["1/cut.dcm"]
    assert added.to_dict()["failures"] == [added.failures[0]._asdict()]
    assert [skip.file for skip in added.skips] == ["1/notes.txt"]
    assert "neither DICOM nor PNG nor JPEG" in str(added.skips[0].reason)
    assert added.to_dict()["skips"] == [added.skips[0]._asdict()]
    assert (added.failed, added.skipped) == (1, 1)


def test_a_folder_that_is_not_there_or_empty_is_an_error(
    new_archive: Callable[..., hmar.Archive], tmp_path: Path
) -> None:
    archive = new_archive()
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="absent"):
        archive.add(tmp_path / "absent")
    with pytest.raises(NotFoundError, match="no file in the folder"):
        archive.add(tmp_path / "empty")


@pytest.mark.slow
def test_an_interrupted_folder_is_gone_on_with(
    new_archive: Callable[..., hmar.Archive], study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = new_archive(model=ThumbnailEncoder())
    encode, asked = ThumbnailEncoder.encode, []

    def interrupted(self: ThumbnailEncoder, frame: hmar.Frame) -> Any:
        asked.append(frame.info.sop_instance_uid)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return encode(self, frame)

    monkeypatch.setattr(ThumbnailEncoder, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        archive.add(study)
    assert len(archive) == 3
    added = archive.add(study)
    assert (added.indexed, added.unchanged) == (FRAMES, 0)  # one job, begun before and ended now
    assert len(asked) == FRAMES + 1
    assert len(archive) == FRAMES


@pytest.mark.slow
def test_a_database_that_fails_ends_a_folder(
    new_archive: Callable[..., hmar.Archive], study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = new_archive()

    def fail(*_: object) -> None:
        raise UnavailableError("The database does not answer.", "Start it.")

    with monkeypatch.context() as patch:
        patch.setattr(archive.engine.jobs, "claim", fail)
        with pytest.raises(UnavailableError, match="does not answer"):
            archive.add(study)
    archive.add(study)
    assert len(archive) == FRAMES


@pytest.mark.slow
def test_bytes_files_and_opened_images_are_one_image(
    new_archive: Callable[..., hmar.Archive], study: Path
) -> None:
    archive, path = new_archive(), study / "1" / "1.dcm"
    assert archive.add(path).indexed == 1
    for same in (path, str(path), path.read_bytes(), hmar.open_image(path), archive.open(path)):
        added = archive.add(same)
        assert (added.indexed, added.unchanged) == (0, 1)
    assert archive.add(ct_file(3, 1)).indexed == 1
    [hit] = archive.search(ct_file(3, 1), k=1, mode="global")
    assert hit.distance == 0
    np.testing.assert_array_equal(archive.frame(hit).values, hmar.open_image(ct_file(3, 1))[0].values)


@pytest.mark.slow
def test_frames_are_added_as_values_and_their_pixels_are_not_kept(
    new_archive: Callable[..., hmar.Archive],
) -> None:
    archive = new_archive()
    made = [replace(textured_frame(seed, 96, 96), info=numbered(seed)) for seed in range(20)]
    added = archive.add(iter(made), collection="made", label="noise")
    assert (added.indexed, added.unchanged, added.failed) == (20, 0, 0)
    assert archive.add(made[3], collection="made").unchanged == 1
    another = replace(made[1], info=numbered(99))
    added = archive.add([another, made[0], another], collection="made")
    assert (added.indexed, added.unchanged) == (1, 2)
    [hit] = archive.search(made[7], k=1, mode="global")
    assert (hit.distance, hit.entry.info.label, hit.entry.collection) == (0, "noise", "made")
    with pytest.raises(NotFoundError, match="not kept"):
        archive.frame(hit)


def numbered(number: int) -> hmar.FrameInfo:
    return replace(frame_info(96, 96), sop_instance_uid=f"2.25.{number + 10}")


@pytest.mark.slow
def test_what_is_no_frame_is_refused(archive: hmar.Archive) -> None:
    with pytest.raises(TypeError, match="a str cannot be added"):
        archive.add(["1.dcm"])  # type: ignore[list-item]


@pytest.mark.slow
@pytest.mark.parametrize("made", [False, True])
def test_a_name_or_a_label_that_cannot_be_used_is_refused(
    archive: hmar.Archive, study: Path, made: bool
) -> None:
    images = textured_frame(0) if made else study
    with pytest.raises(ParameterError, match="The collection's name is"):
        archive.add(images, collection="../x")
    with pytest.raises(ParameterError, match="label"):
        archive.add(images, label=" ")


@pytest.mark.slow
def test_a_region_is_found_in_the_other_slices(archive: hmar.Archive, study: Path) -> None:
    path = study / "1" / "2.dcm"
    found = [
        archive.search(query, box, k=SLICES - 1, exclude="instance")
        for query in (path, path.read_bytes(), archive.open(path), archive.open(path)[0])
        for box in (BOX, hmar.Box(*BOX))
    ]
    assert set(uids(found[0])) == {sop_uid(1, 1), sop_uid(1, 3)}
    assert found[0].mode == "local"
    for results in found:
        assert results.hits == found[0].hits
        assert results.to_dict() == {**found[0].to_dict(), "took_ms": round(results.took_ms, 1)}


def test_several_regions_are_searched_for_together(archive: hmar.Archive, study: Path) -> None:
    file, other = study / "1" / "2.dcm", hmar.Box(90, 90, 40, 30)
    together = archive.search(file, [BOX, other], exclude="instance")
    assert (together.region, together.regions) == (None, (hmar.Box(*BOX), other))
    for hit in together:
        assert hit.distance == pytest.approx(sum(each.distance for each in hit.regions) / 2)
    assert archive.search(file, [other]).to_dict()["hits"] == archive.search(file, other).to_dict()["hits"]
    for wrong in ([], [BOX, (1, 2, 3)], [BOX, other] * 9):
        with pytest.raises((RegionError, ParameterError)):
            archive.search(file, wrong)


def test_several_queries_are_answered_in_their_order(archive: hmar.Archive, study: Path) -> None:
    file, frame = study / "1" / "2.dcm", textured_frame(3)
    queries = [(file, BOX), (b"no image", None), (frame, None), (file, None), (file, (180, 0, 20, 20))]
    found = archive.search_batch(queries, k=2, sex=["M", "F", "O"])
    for number in (0, 2, 3):
        alone = archive.search(*queries[number], k=2, sex=["M", "F", "O"])
        assert found[number].to_dict()["hits"] == alone.to_dict()["hits"]
    assert isinstance(found[1], hmar.HmarError)
    assert isinstance(found[4], RegionError)
    assert archive.search_batch([]) == []
    with pytest.raises(ParameterError, match="k is 0"):
        archive.search_batch(queries[:1], k=0)
    with pytest.raises(ParameterError, match="search is 'quick'"):
        archive.search_batch(queries[:1], search="quick")  # type: ignore[arg-type]


def test_series_and_studies_are_searched_with(archive: hmar.Archive) -> None:
    by_series = archive.search_series(series_uid(1), mode="local")
    assert [hit.entry.info.series_uid for hit in by_series] == [series_uid(2)]
    assert [len(hit.pairs) for hit in by_series] == [SLICES]
    study = archive.series()[0].study_uid
    assert [hit.pairs for hit in archive.search_study(study, aggregation="mean")] == [()]
    assert list(archive.search_series(series_uid(1), exclude="patient")) == []
    assert list(archive.search_series(series_uid(1), sex=["F"])) == []
    with pytest.raises(NotFoundError, match="not indexed"):
        archive.search_study(series_uid(1))
    with pytest.raises(ParameterError, match="'ward'"):
        archive.search_series(series_uid(1), exclude="ward")  # type: ignore[arg-type]


def test_a_whole_image_is_compared_in_whole_and_in_parts(archive: hmar.Archive, study: Path) -> None:
    results = archive.search(study / "2" / "1.dcm", k=1)
    assert (results.mode, results.bits, uids(results)) == ("auto", 128, [sop_uid(2, 1)])
    short = archive.search(study / "2" / "1.dcm", k=1, mode="global", bits=64)
    assert (short.mode, short.bits) == ("global", 64)


@pytest.mark.slow
def test_filters_hold_by_name_and_by_mapping(archive: hmar.Archive, study: Path) -> None:
    path = study / "1" / "1.dcm"
    every = archive.search(path, k=100)
    assert len(every) == every.searched_frames == FRAMES
    women = archive.search(path, k=100, sex="F", age_years=(45, None))
    assert set(uids(women)) == {sop_uid(1, n) for n in range(1, SLICES + 1)}
    assert women.hits == archive.search(path, k=100, where={"sex": ["F"]}, age_years=(45, 90)).hits
    assert len(archive.search(path, k=100, group_by="series")) == SERIES
    assert len(archive.search(path, k=100, exclude="series")) == FRAMES - SLICES
    named = hmar.Exclusion("instance", series_uids=[series_uid(2)])
    assert len(archive.search(path, k=100, exclude=named)) == FRAMES - SLICES - 1
    only = archive.search(path, k=100, only=[series_uid(2), "1.2.3"])
    assert {hit.entry.info.series_uid for hit in only} == {series_uid(2)}
    assert len(only) == only.searched_frames == SLICES
    assert len(archive.search(path, k=100, collection="another")) == 0
    with pytest.raises(ParameterError, match="'sex' is given twice"):
        archive.search(path, where={"sex": "F"}, sex="M")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"k": 0}, ParameterError),
        ({"mode": "all"}, ParameterError),
        ({"bits": 32}, ParameterError),
        ({"exclude": "ward"}, ParameterError),
        ({"only": "1.2"}, ParameterError),
        ({"only": []}, ParameterError),
        ({"only": ["1.2"] * 1001}, ParameterError),
        ({"group_by": "ward"}, ParameterError),
        ({"frame_number": 2}, ParameterError),
        ({"ward": "3b"}, ParameterError),
        ({"box": (1000, 0, 10, 10)}, RegionError),
    ],
)
def test_what_is_out_of_range_is_refused(
    archive: hmar.Archive, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        archive.search(ct_file(1, 1), **arguments)


@pytest.mark.slow
def test_any_frame_of_a_file_is_searched_with(new_archive: Callable[..., hmar.Archive]) -> None:
    values = np.random.default_rng(0).integers(0, 4000, (2, 90, 80)).astype(np.uint16)
    file, archive = image(values), new_archive()
    assert archive.add(file).frames == 2
    for number in (1, 2):
        [hit] = archive.search(file, k=1, frame_number=number)
        assert hit.entry.info.frame_number == number


def test_a_patient_is_left_out_by_the_archives_own_key(archive: hmar.Archive, study: Path) -> None:
    path = study / "1" / "1.dcm"
    for query in (path, path.read_bytes(), hmar.open_image(path), archive.open(path)[0]):
        assert len(archive.search(query, exclude="patient")) == 0


@pytest.mark.slow
def test_a_key_that_means_nothing_in_an_archive_is_refused(tmp_path: Path) -> None:
    frame = hmar.open_image(ct_file(1, 1))[0]
    nobody = replace(frame, info=replace(frame.info, patient_key=None))
    with hmar.Archive(tmp_path / "home", "thumbnail") as archive:
        with pytest.raises(ParameterError, match="archive's own open"):
            archive.add(frame)
        with pytest.raises(ParameterError, match="archive's own open"):
            archive.search(frame, exclude="patient")
        assert archive.add(nobody).indexed == 1
        assert len(archive.search(frame)) == 1
    with hmar.Archive(model="thumbnail") as archive:
        assert archive.add(frame).indexed == 1
        assert len(archive.search(frame, exclude="patient")) == 0


@pytest.mark.slow
def test_series_and_frames_are_listed_and_deleted(
    new_archive: Callable[..., hmar.Archive], study: Path
) -> None:
    archive = new_archive()
    archive.add(study)
    assert [(one.series_uid, one.frames) for one in archive.series()] == [
        (series_uid(1), SLICES),
        (series_uid(2), SLICES),
    ]
    assert archive.series()[0].to_dict()["frames"] == SLICES
    assert len(archive.frames()) == FRAMES
    assert archive.frames(collection="another") == []
    listed = archive.frames(series_uid(2))
    assert [entry.info.instance_number for entry in listed] == [1, 2, 3]
    assert archive.frame(listed[0]).info.sop_instance_uid == listed[0].info.sop_instance_uid
    assert archive.delete(series_uid=series_uid(2), collection="another") == (0, 0, 0, 0)
    assert archive.delete(series_uid=series_uid(2)) == (SLICES, SLICES, 1, 1)
    assert len(archive) == FRAMES - SLICES
    assert [one.series_uid for one in archive.series()] == [series_uid(1)]


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.slow
def test_a_hit_is_shown_and_its_stored_values_are_those_of_its_file(
    archive: hmar.Archive, study: Path
) -> None:
    [hit, *_] = archive.search(study / "1" / "1.dcm", box=BOX)
    stored, frame = archive.pixels(hit), archive.frame(hit)
    made = stored.values * stored.meaning.slope + stored.meaning.intercept
    assert np.array_equal(np.maximum(made, -1024).astype(np.float32), frame.values)
    with Image.open(io.BytesIO(archive.picture(hit, (40, 400), size=128, boxes=[hit.box]))) as drawn:
        shown = outlined(render(frame, (40, 400)), [hit.box], 128)
        assert np.array_equal(np.asarray(drawn), shown)
    with pytest.raises(ParameterError):
        archive.picture(hit, size=100)
    with pytest.raises(ParameterError):
        archive.picture(hit, boxes=[hit.box] * 17)
    with pytest.raises(RegionError):
        archive.picture(hit, boxes=(0, 0, 10_000, 1))


@pytest.mark.slow
def test_a_patient_is_deleted_from_all_collections_with_what_was_kept(
    new_archive: Callable[..., hmar.Archive], tmp_path: Path
) -> None:
    archive, file = new_archive(), ct_file(1, 1)
    archive.add(file)
    archive.add(file, collection="teaching")
    archive.add(image(np.ones((64, 64), np.uint16), PatientID="another"))
    info = archive.frames(series_uid(1))[0].info
    assert archive.delete(patient_id=PATIENT_ID, issuer="a clinic").frames == 0
    assert archive.delete(patient_id=PATIENT_ID, collection="teaching").frames == 1
    assert archive.frame(archive.frames(series_uid(1))[0]).info == info
    assert archive.delete(patient_id=PATIENT_ID) == (1, 1, 1, 1)
    assert (len(archive), len(archive.frames())) == (1, 1)
    assert len(list(archive.engine.uploads.references())) == 1
    assert archive.delete(instance_uid=archive.frames()[0].info.sop_instance_uid).instances == 1
    assert list(archive.engine.uploads.references()) == []
    assert archive.delete(study_uid=info.study_uid).frames == 0
    if not archive.engine.settings.in_memory:
        left = stored_bytes(tmp_path / "home")
        assert file[1000:2000] not in left
        assert str(info.patient_key).encode() not in left
        assert len(list((tmp_path / "home" / "index").glob("*/gen-*"))) == 1


def test_exactly_one_thing_is_deleted_at_a_time(archive: hmar.Archive) -> None:
    for named in ({}, {"series_uid": "1", "study_uid": "2"}, {"series_uid": ""}, {"patient_id": " "}):
        with pytest.raises(ParameterError):
            archive.delete(**named)  # type: ignore[arg-type]
    assert len(archive) == FRAMES


@pytest.mark.slow
def test_bytes_that_are_refused_are_not_kept(new_archive: Callable[..., hmar.Archive]) -> None:
    archive = new_archive()
    assert archive.add(b"no image").failed == 1
    assert list(archive.engine.uploads.references()) == []


@pytest.mark.slow
def test_an_archive_on_disk_is_there_again_and_one_in_memory_is_not(tmp_path: Path, study: Path) -> None:
    home = tmp_path / "home"
    with hmar.Archive(home, "thumbnail") as archive:
        archive.add(study)
    with hmar.Archive(str(home), hmar.load_model("thumbnail")) as again:
        assert len(again) == FRAMES
        assert again.model.name == "thumbnail-32"
    with hmar.Archive(model="thumbnail") as other:
        assert len(other) == 0


@pytest.mark.slow
def test_frames_of_another_model_are_not_seen(tmp_path: Path) -> None:
    class Renamed(ThumbnailEncoder):
        name = "another"

        def __init__(self) -> None:
            super().__init__()
            self.fingerprint = "f" * 32

    with hmar.Archive(tmp_path / "home", "thumbnail") as archive:
        archive.add(ct_file(1, 1))
    with hmar.Archive(tmp_path / "home", Renamed()) as archive:
        assert len(archive) == 0
        assert archive.model.name == "another"


def test_what_cannot_be_an_archive_is_refused(tmp_path: Path) -> None:
    from hmar.config import Settings

    with pytest.raises(ModelError, match="no model 'nothing'"):
        hmar.Archive(model="nothing")
    with pytest.raises(ConfigError):
        hmar.Archive(tmp_path, settings=Settings(max_attempts=0))

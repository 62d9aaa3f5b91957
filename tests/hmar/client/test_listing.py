"""What a client lists is what the archive behind the server lists."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest

import hmar
from hmar.errors import ConflictError, NotFoundError, ParameterError
from tests.hmar.client.conftest import Served
from tests.phantoms import series_uid, sop_uid
from tests.service.conftest import FRAMES

pytestmark = pytest.mark.slow


def test_collections_studies_and_instances_are_those_of_the_archive(served: Served) -> None:
    client = served.client()
    with hmar.Archive(served.archive.engine.settings.home, "thumbnail") as mine:
        assert [one.to_dict() for one in client.collections()] == [
            one.to_dict() for one in mine.collections()
        ]
        assert client.collections("elsewhere") == mine.collections("elsewhere") == []
        studies = list(client.studies())
        assert studies == list(mine.studies())
        assert list(client.studies("elsewhere")) == list(mine.studies("elsewhere")) == []
        [patient] = client.patients()
        assert [patient] == list(mine.patients())
        for wanted in (
            {"patient": patient.patient},
            {"modality": "CT", "order": "newest"},
            {"body_part": "KNEE"},
        ):
            assert list(client.studies(**wanted)) == list(mine.studies(**wanted))
        for archive in (client, mine):
            with pytest.raises(NotFoundError, match="patient"):
                list(archive.studies(patient="0" * 32))
            with pytest.raises(ParameterError, match="before since"):
                list(archive.studies(since=date(2026, 2, 1), until=date(2026, 1, 1)))
        assert client.series() == mine.series()
        assert {one.patient for one in mine.series()} == {patient.patient}
        assert client.study(studies[0].study_uid) == mine.study(studies[0].study_uid)
        there, here = client.instance(sop_uid(1, 2)), mine.instance(sop_uid(1, 2))
    assert [one.info.to_dict() for one in there] == [one.info.to_dict() for one in here]
    assert [one.collection for one in there] == ["default"]
    for asked in (client.study, client.instance):
        with pytest.raises(NotFoundError, match=r"1\.2\.3"):
            asked("1.2.3")


def test_changes_are_those_of_the_archive_and_can_be_followed(own: Served) -> None:
    client = own.client()
    first = list(client.changes())
    assert [change.seq for change in first] == list(range(1, FRAMES + 1))
    with hmar.Archive(own.archive.engine.settings.home, "thumbnail") as mine:
        assert [one.to_dict() for one in first] == [one.to_dict() for one in mine.changes()]
        followed = client.changes(FRAMES - 1, follow=True, look_s=0.01)
        local = mine.changes(FRAMES - 1, follow=True, look_s=0.01)
        assert next(followed) == first[-1]
        client.delete(instance_uid=sop_uid(1, 1))
        told = [change.to_dict() for change in islice(followed, 1)]
        assert [change.to_dict() for change in islice(local, 1, 2)] == told
        assert (told[0]["kind"], told[0]["sop_instance_uid"]) == ("delete", None)
        assert list(client.changes(FRAMES + 1)) == list(mine.changes(FRAMES + 1)) == []
        assert list(client.changes(collection="elsewhere")) == []
        for archive in (client, mine):
            with pytest.raises(ConflictError, match="beyond the log's end"):
                list(archive.changes(FRAMES + 2))


def test_the_frames_of_a_series_know_their_collection(served: Served) -> None:
    assert {one.collection for one in served.client().frames(series_uid(2))} == {"default"}

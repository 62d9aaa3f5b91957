"""A client keeps what somebody says of hits, and lists it."""

from __future__ import annotations

import hashlib

import pytest

import hmar
from hmar.client import feedback as client_feedback
from hmar.errors import NotFoundError, ParameterError
from hmar.values.geometry import Box
from tests.hmar.client.conftest import Served
from tests.phantoms import ct_file, sop_uid
from tests.service.conftest import NODULE

BOX = (NODULE[0] - 10, NODULE[1] - 10, 20.0, 20.0)
QUERY = hmar.IndexedFrame(sop_uid(1, 2))


@pytest.mark.slow
def test_hits_are_judged_with_their_boxes_and_listed_page_after_page(
    own: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_feedback, "PAGE", 1)
    client = own.client()
    first, second, third = client.search(QUERY, BOX, k=3)
    assert client.judge(QUERY, [first, second], [third], BOX) == 3
    listed = list(client.feedback())
    stored = list(own.archive.engine.feedback.listed(0, 100))
    assert [one.to_dict() for one in listed] == [one.to_dict() for one in stored]
    told = [(one.judgement.sop_instance_uid, one.judgement.box, one.judgement.verdict) for one in listed]
    assert told == [
        (hit.entry.info.sop_instance_uid, hit.box, verdict)
        for hit, verdict in ((first, "relevant"), (second, "relevant"), (third, "not_relevant"))
    ]
    assert {one.judgement.query.regions for one in listed} == {(Box(*BOX),)}
    assert list(client.feedback(after=listed[0].seq)) == listed[1:]
    assert list(client.feedback("elsewhere")) == []


@pytest.mark.slow
def test_a_file_is_named_by_its_digest_and_whole_frames_have_no_box(own: Served) -> None:
    client, sent = own.client(), ct_file(9, 1)
    [hit] = client.search(sent, k=1)
    assert client.judge(sent, [hit], [QUERY]) == 2
    relevant, other = (one.judgement for one in client.feedback("default"))
    assert relevant.query.file_sha256 == hashlib.sha256(sent).hexdigest()
    assert (relevant.box, relevant.query.regions, other.sop_instance_uid) == (
        None,
        (),
        QUERY.sop_instance_uid,
    )


def test_what_cannot_be_judged_is_an_error(served: Served) -> None:
    client = served.client()
    with pytest.raises(ParameterError):
        client.judge(QUERY)
    with pytest.raises(ParameterError, match="twice"):
        client.judge(QUERY, [QUERY], [QUERY])
    with pytest.raises(NotFoundError):
        client.judge(QUERY, [hmar.IndexedFrame("1.2.3")])
    assert list(client.feedback()) == []

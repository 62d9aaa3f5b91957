"""A client lists the models of an archive, indexes under another one, and uses it."""

from __future__ import annotations

import pytest

from hmar.errors import ConflictError, NotFoundError
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.models import Begun, ModelName, ModelState
from tests.hmar.client.conftest import Served
from tests.service.conftest import FRAMES

USED = ThumbnailEncoder()


@pytest.mark.slow
def test_models_are_what_the_engine_says(served: Served) -> None:
    engine = served.archive.engine
    listed = served.client().models()
    assert listed == engine.reindexing.states(engine.known_models.listed())
    used = ModelState(ModelName(USED.fingerprint, USED.name), "used", True, FRAMES, 0)
    assert listed[0] == used
    assert [ModelState.from_dict(one.to_dict()) for one in listed] == listed


@pytest.mark.slow
def test_a_model_is_indexed_under_and_used_once_nothing_is_missing(own: Served) -> None:
    client = own.client()
    assert client.reindex(USED.fingerprint) == Begun(ModelName(USED.fingerprint, ""), 0, ())
    other = next(one.model for one in client.models() if one.role == "kept" and one.installed)
    begun = client.reindex(other.fingerprint, ["default"])
    assert (begun.model.fingerprint, begun.missing, len(begun.jobs)) == (other.fingerprint, FRAMES, 1)
    assert client.job(begun.jobs[0]).collection == "default"
    with pytest.raises(NotFoundError, match="elsewhere"):
        client.reindex(other.fingerprint, ["elsewhere"])
    missing = next(one.missing for one in client.models() if one.model == other)
    if missing:
        with pytest.raises(ConflictError):
            client.use_model(other.fingerprint)
    roles = {one.model: one.role for one in client.use_model(other.fingerprint, missing)}
    assert roles[other] == "used"


def test_a_model_that_is_not_installed_is_an_error(served: Served) -> None:
    for call in (served.client().reindex, served.client().use_model):
        with pytest.raises(NotFoundError, match="hmar models install"):
            call("0" * 32)

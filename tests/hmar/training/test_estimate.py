"""How long a training is said to take."""

from dataclasses import replace

import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training import estimate
from hmar.training.estimate import estimated_seconds, told_minutes
from hmar.training.singles import suited
from tests.hmar.training.tiny import CONFIG, labelled_volumes, plain_volumes, tiny_backbone


@pytest.mark.parametrize(("seconds", "said"), [
    (20, "under a minute"), (60, "about 1 minute"), (150, "about 2 minutes"), (3 * 3600, "about 3 hours"),
])  # fmt: skip
def test_a_duration_is_told_in_words(seconds, said):
    assert told_minutes(seconds) == said


def test_more_views_steps_and_looks_take_longer_by_what_a_pass_takes(monkeypatch):
    monkeypatch.setattr(estimate, "_passes", lambda *_: (2.0, 1.0))

    def seconds(volumes, views=2, **settings):
        return estimated_seconds(volumes, tiny_backbone(), replace(CONFIG, **settings), views, "cpu")

    plain, labelled = plain_volumes(), labelled_volumes()
    images = sum(len(volume.values) for volume in plain)
    assert seconds(plain, 3) - seconds(plain, 2) == pytest.approx(1.5 * images * (2 + 1))
    forward = 1.5 * 2 * CONFIG.pairs
    assert seconds(plain, image_steps=3) - seconds(plain, image_steps=2) == pytest.approx(forward)
    assert seconds(plain, region_steps=4) - seconds(plain, region_steps=3) == pytest.approx(3 * forward)
    count = sum(int((v.image_labels >= 0).sum()) for v in labelled if v.image_labels is not None)
    longer = seconds(labelled, label_looks=3) - seconds(labelled, label_looks=2)
    assert longer == pytest.approx(1.5 * count * (2 + 1))
    assert seconds(plain, label_looks=3) == seconds(plain, label_looks=2)


def test_single_images_alone_need_few_views(monkeypatch):
    monkeypatch.setattr(estimate, "_passes", lambda *_: (2.0, 0.0))
    films = labelled_volumes()[-18:]
    config = replace(suited(CONFIG, films), label_looks=1)
    assert estimated_seconds(films, tiny_backbone(), config, 99, "cpu") == 1.5 * 2.0 * (2 * 18 + 18)


def test_passes_of_the_backbone_are_timed():
    assert estimated_seconds(plain_volumes(), tiny_backbone(), CONFIG, 2, "cpu") > 0

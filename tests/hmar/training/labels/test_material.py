"""What Expert0 learns labels from is what it sees when it serves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.image.grid import GridConfig, channels, make_grid
from hmar.training.data.dicom_series import single_volume
from hmar.training.data.served import served_image, slice_frame
from hmar.training.data.volumes import Volume
from hmar.training.labels.material import of_volumes, silent
from hmar.values.frames import Frame, Units
from tests.frames import frame_info
from tests.hmar.training.tiny import CONFIG, labelled_volumes, tiny_backbone

DEVICE = torch.device("cpu")


def picture(rows: int, columns: int) -> Frame:
    values = np.random.default_rng(0).random((rows, columns), dtype=np.float32) * 0.6
    info = replace(frame_info(), rows=rows, columns=columns, spacing=None, modality="DX")
    return Frame(info, values, Units.PRESENTATION)


def ct() -> Volume:
    values = np.random.default_rng(1).integers(-1000, 1500, (3, 80, 100)).astype(np.int16)
    return Volume("ct", values, (2.0, 1.3, 1.1), "CT", np.full(3, -1))


@pytest.mark.parametrize(("rows", "columns"), [(70, 90), (448, 300), (900, 500)])
def test_a_picture_is_seen_as_the_product_encodes_it(rows, columns):
    frame = picture(rows, columns)
    info = frame.info
    served = channels(frame, make_grid(rows, columns, info.spacing, GridConfig()))
    seen = served_image(single_volume("picture", frame, -1, image_label=1), 0, GridConfig())
    assert seen.shape == served.shape
    assert np.abs(seen.numpy() - served).max() <= 0.5e-3 + 1e-6  # kept as thousandths


def test_a_slice_is_seen_as_the_product_encodes_it():
    frame = slice_frame(ct(), 1)
    served = channels(frame, make_grid(80, 100, frame.info.spacing, GridConfig()))
    assert np.array_equal(served_image(ct(), 1, GridConfig()).numpy(), served)


@pytest.mark.parametrize("volume", [ct(), single_volume("picture", picture(70, 90), -1, image_label=1)])
def test_other_looks_differ_within_the_same_frame(volume):
    plain = served_image(volume, 0, GridConfig())
    looks = [served_image(volume, 0, GridConfig(), np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert torch.equal(looks[0], looks[1])
    assert not torch.equal(looks[0], looks[2])
    for look in looks:
        assert look.shape == plain.shape
        assert 0 <= float(look.min()) <= float(look.max()) <= 1
        assert float((look - plain).abs().mean()) > 0.01
        padding = (plain.flatten(0, 1).amax(dim=1) == 0).reshape(3, -1).all(dim=0)
        assert float(look[:, padding].abs().max() if padding.any() else 0) == 0


def test_every_labelled_image_is_there_once_with_all_its_looks():
    volumes, backbone = labelled_volumes(), tiny_backbone()
    told: list[tuple[int, int]] = []
    made = of_volumes(volumes, backbone, CONFIG, DEVICE, lambda *done: told.append(done))
    labelled = sum(int((v.image_labels >= 0).sum()) for v in volumes if v.image_labels is not None)
    assert made.parts.shape == (CONFIG.label_looks, labelled, backbone.channels, 3, 3)
    assert told[-1] == (labelled, labelled)
    assert (made.labels.label >= 0).all()
    held, patient = made.held_out, made.labels.patient
    assert held.any()
    assert not set(patient[held]) & set(patient[~held])


def test_the_same_seed_gives_the_same_looks():
    volumes, other = labelled_volumes(), replace(CONFIG, seed=8)
    first, again, another = (
        of_volumes(volumes, tiny_backbone(), config, DEVICE, silent) for config in (CONFIG, CONFIG, other)
    )
    assert torch.equal(first.parts, again.parts)
    assert torch.equal(first.parts[0], another.parts[0])

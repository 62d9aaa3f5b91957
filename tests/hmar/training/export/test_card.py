from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.config import TrainingConfig
from hmar.training.export.card import LITE0, OPEN_CT, Origin, card
from hmar.training.singles import suited
from tests.hmar.training.tiny import labelled_volumes, plain_volumes

CONFIG = TrainingConfig(region_steps=3)
SETTINGS = {
    "name": "small",
    "grid": {"pitch_mm": 0.75, "stride": 16},
    "windows": {"cells": (3, 5)},
    "network": {"intervals": 5, "order": 3, "trunk": "lite0"},
}


def test_a_card_counts_labelled_images_and_names_no_patient():
    origin = Origin("Of a site.", LITE0, "ImageNet")
    data = [replace(volume, patient=f"patient-{v}") for v, volume in enumerate(labelled_volumes())]
    text = card(SETTINGS, CONFIG, data, 2, origin)
    assert "(windows of 3, 5 cells of 12 mm," in text
    assert "squares of 36 and 60 mm: of a lesion far smaller than 36 mm" in text
    assert "| single images | DX | 18 | of each | none |" in text
    assert "34 images were labelled as a whole, with 2 labels" in text
    assert "film" not in text
    assert "patient-" not in text
    assert "24 slices of 4 scans and 18 single images" in text
    one = [replace(volume, image_labels=np.zeros(len(volume.values), np.int64)) for volume in data]
    assert "labelled as a whole" not in card(SETTINGS, CONFIG, one, 2, origin)
    without = card(SETTINGS, replace(CONFIG, structure_weight=0.0, structure_contrast=0.0), data, 2, origin)
    assert "labelled as a whole" not in without


def test_a_card_counts_the_structures_of_single_images():
    data = labelled_volumes()
    labels = np.full((1, 72, 72), -2, np.int16)
    labels[0, :3], labels[0, 9:12] = 4, 7
    data[-1] = replace(data[-1], labels=labels)
    text = card(SETTINGS, CONFIG, data, 2, Origin("Of a site.", LITE0, "ImageNet"))
    assert "| single images | DX | 18 | of each | 2 |" in text


def test_a_card_says_what_validation_found_best_in_each_stage():
    steps = [
        {"stage": stage, "validation": found}
        for stage, found in ((1, None), (2, 0.25), (2, 0.5), (3, 0.4), (4, 0.75), (4, None), (4, 0.625))
    ]
    text = card(SETTINGS, CONFIG, labelled_volumes(), 2, Origin("Of a site.", LITE0, "ImageNet"), steps)
    assert "Stage 2: held-out windows and images found first what they should, with a share of 0.500." in text
    assert "The end of stage 2: held-out windows" in text
    assert "with a mean average precision of 0.750." in text
    assert "its last part on labels of whole images" in text


def test_the_card_of_single_images_alone_says_that_labels_were_all_there_was():
    films = labelled_volumes()[-18:]
    text = card(SETTINGS, suited(CONFIG, films), films, 2, Origin("Of a site.", LITE0, "ImageNet"))
    assert "on labels of whole images alone" in text
    assert "and 2 times varied" in text
    assert "views of known geometry" not in text


def test_a_card_names_its_data_and_settings():
    text = card(SETTINGS, CONFIG, plain_volumes(), 3, Origin(OPEN_CT, LITE0, "ImageNet"))
    assert text.startswith("# small\n")
    assert "| mr | MR | 6 | 3.00, 4.00, 4.00 | none |" in text
    assert "region_steps 3" in text
    assert "does not diagnose" in text


@pytest.mark.parametrize(
    ("backbone", "rate", "said"),
    [
        ("lite0-smooth", 3e-4, "its last blocks trained further"),
        ("lite0", 3e-4, "its last blocks trained further"),
        ("lite0-smooth", 0.0, "kept as they are"),
        ("resnet50", 3e-4, "kept as they are"),
    ],
)
def test_a_card_says_whether_the_backbone_was_trained(backbone, rate, said):
    settings = SETTINGS | {"network": {"intervals": 5, "order": 3, "trunk": backbone}}
    text = card(
        settings, replace(CONFIG, backbone_rate=rate), plain_volumes(), 3, Origin(OPEN_CT, LITE0, "ImageNet")
    )
    assert said in text

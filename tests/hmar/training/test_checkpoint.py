"""Which runs may be resumed, and what is left of a checkpoint whose writing failed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("kan", reason="the extra 'train' is not installed")

from hmar.errors import ConfigError
from hmar.training.checkpoint import CHECKPOINT, read_checkpoint, run_key, write_checkpoint
from hmar.training.config import PRESETS
from hmar.training.data.volumes import Volume

QUICK = PRESETS["quick"]
VOLUME = Volume("a", np.zeros((9, 4, 4), np.int16), (1.0, 1.0, 1.0), "CT", np.full(9, -1), None)
OTHERS = {
    "values": np.ones((9, 4, 4), np.int16),
    "regions": np.zeros(9, np.int64),
    "image_labels": np.zeros(9, np.int64),
    "labels": np.zeros((9, 4, 4), np.int16),
    "patient": "hash",
    "spacing_mm": (2.0, 1.0, 1.0),
}


def key(volume: Volume = VOLUME) -> dict[str, object]:
    return run_key(QUICK, 6, [volume], "lite0")


def test_the_name_of_a_volume_may_differ():
    assert key() == key(replace(VOLUME, name="b"))


@pytest.mark.parametrize("field", OTHERS)
def test_data_that_differ_have_another_key(field):
    assert key() != key(replace(VOLUME, **{field: OTHERS[field]}))


def test_settings_views_and_backbone_are_in_the_key():
    others = [
        run_key(replace(QUICK, seed=8), 6, [VOLUME], "lite0"),
        run_key(QUICK, 7, [VOLUME], "lite0"),
        run_key(QUICK, 6, [VOLUME], "lite0-smooth"),
    ]
    assert key() not in others


def test_a_checkpoint_is_read_back_with_its_log(tmp_path):
    log, state = [{"stage": 1}], {"stage": 1, "kept": {"weight": torch.arange(3)}}
    write_checkpoint(tmp_path, key(), log, state)
    read_log, read_state = read_checkpoint(tmp_path, key())
    assert read_log == log
    assert read_state["kept"]["weight"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == [CHECKPOINT]


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    write_checkpoint(tmp_path, key(replace(VOLUME, patient="hash")), [], {})
    with pytest.raises(ConfigError, match="on other data"):
        read_checkpoint(tmp_path, key())


def test_a_folder_without_a_checkpoint_holds_no_interrupted_run(tmp_path):
    with pytest.raises(ConfigError, match="holds no interrupted run"):
        read_checkpoint(tmp_path, key())


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path):
    write_checkpoint(tmp_path, key(), [{"stage": 1}], {})
    with pytest.raises(Exception, match="pickle"):
        write_checkpoint(tmp_path, key(), [], {"stage": lambda: None})
    assert read_checkpoint(tmp_path, key())[0] == [{"stage": 1}]

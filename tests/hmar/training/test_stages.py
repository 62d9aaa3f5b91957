import json
from dataclasses import replace

import pytest

from hmar.training.config import TrainingConfig
from hmar.training.stages import Stage, stages_of

CONFIG = TrainingConfig(image_steps=1, region_steps=2, settle_steps=3, settle_pairs=9, label_steps=4)


def test_numbers_of_stages_are_those_of_logs_and_checkpoints():
    assert [int(stage) for stage in Stage] == [1, 2, 3, 4]
    assert json.dumps(list(Stage)) == "[1, 2, 3, 4]"
    assert f"stage {Stage.REGIONS}" == "stage 2"


@pytest.mark.parametrize(("name", "numbers"), [("1", [1]), ("2", [2, 3, 4]), ("both", [1, 2, 3, 4])])
def test_the_command_line_names_stages(name, numbers):
    assert list(stages_of(name)) == numbers


def test_every_stage_has_its_steps_and_stage_3_its_own_batches():
    assert [stage.steps(CONFIG) for stage in Stage] == [1, 2, 3, 4]
    assert [stage.pairs(CONFIG) for stage in Stage] == [None, None, 9, None]


def test_labels_have_no_steps_where_they_are_not_learnt():
    assert Stage.LABELS.steps(replace(CONFIG, structure_weight=0.0, structure_contrast=0.0)) == 0


def test_windows_are_compared_after_stage_1_and_the_backbone_is_trained_in_stage_2_alone():
    assert [stage.regions for stage in Stage] == [False, True, True, False]
    assert [stage.trains_backbone(CONFIG) for stage in Stage] == [False, True, False, False]
    kept = replace(CONFIG, backbone_rate=0.0)
    assert not any(stage.trains_backbone(kept) for stage in Stage)

from dataclasses import replace

import pytest

from hmar.errors import ConfigError
from hmar.training.config import PRESETS, TrainingConfig, read_config, with_steps


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("region_steps = 7\nlearning_rate = 1\n")
    config = read_config(file, PRESETS["open-ct"])
    assert config == replace(PRESETS["open-ct"], region_steps=7, learning_rate=1.0)
    assert isinstance(config.learning_rate, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("region_step = 7", "sets 'region_step'"),
        ("region_steps = 7.5", "sets region_steps to 7.5"),
        ('seed = "seven"', "sets seed to 'seven'"),
        ("seed = true", "sets seed to True"),
        ("learning_rate = -1.0", "sets learning_rate to -1.0"),
        ("feature_drop = 1.5", "sets feature_drop to 1.5"),
        ("settle_pairs = 0", "sets settle_pairs to 0"),
        ("learning_rate = ", "cannot be read as TOML"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(text, message, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_config(file, TrainingConfig())
    assert message in error.value.detail


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        read_config(tmp_path / "absent.toml", TrainingConfig())


def test_steps_are_those_of_the_part_of_stage_2_that_a_preset_has():
    assert with_steps(PRESETS["structures"], 9) == replace(PRESETS["structures"], region_steps=9)
    assert with_steps(PRESETS["open-ct"], 9) == replace(PRESETS["open-ct"], settle_steps=9)

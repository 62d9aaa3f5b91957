from dataclasses import fields
from pathlib import Path

import pytest

from hmar.config import Settings
from hmar.errors import ConfigError

NUMBERS = [item.metadata["variable"] for item in fields(Settings) if isinstance(item.default, int | float)]


def test_settings_come_from_the_environment_and_empty_ones_are_defaults(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"HMAR_HOME": str(tmp_path), "HMAR_WEB_THREADS": " 9 ", "HMAR_PORT": ""}
    )
    assert (settings.home, settings.web_threads, settings.port) == (tmp_path, 9, 8080)


@pytest.mark.parametrize("variable", NUMBERS)
@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf"])
def test_a_number_that_cannot_be_used_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        Settings.from_environment({variable: value})

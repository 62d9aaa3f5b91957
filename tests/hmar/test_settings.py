from dataclasses import fields
from pathlib import Path

import pytest

from hmar.config import SAME_UID, Settings
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


def test_archives_may_be_searched_exactly_at_any_size() -> None:
    assert Settings.from_environment({"HMAR_FAST_ABOVE": "400000000"}).fast_above == 400_000_000
    assert Settings.from_environment({}).fast_above == 0


def test_more_web_processes_than_any_machine_needs_are_refused() -> None:
    assert Settings.from_environment({"HMAR_WEB_PROCESSES": "64"}).web_processes == 64
    with pytest.raises(ConfigError, match="HMAR_WEB_PROCESSES is 65"):
        Settings.from_environment({"HMAR_WEB_PROCESSES": "65"})


@pytest.mark.parametrize(
    "url",
    ["redis://:secret@host/0", "rediss://host/0", "redis+socket:///run/redis", "sentinel://host", "inline"],
)
def test_a_broker_speaks_the_redis_protocol(url: str) -> None:
    assert Settings.from_environment({"HMAR_REDIS_URL": url}).inline is (url == "inline")


@pytest.mark.parametrize("url", ["amqp://:secret@host", "secret", "Inline", "memory://"])
def test_another_broker_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="HMAR_REDIS_URL") as refused:
        Settings.from_environment({"HMAR_REDIS_URL": url})
    assert "secret" not in str(refused.value)


def test_what_happens_to_another_image_under_a_uid_is_one_of_three() -> None:
    assert [Settings.from_environment({"HMAR_SAME_UID": choice}).same_uid for choice in SAME_UID] == [
        "refuse",
        "replace",
        "keep-both",
    ]
    with pytest.raises(
        ConfigError, match=r"HMAR_SAME_UID is 'keep'\. Give one of refuse, replace, keep-both"
    ):
        Settings.from_environment({"HMAR_SAME_UID": "keep"})


def test_a_worker_steps_back_no_further_than_the_system_lets_it() -> None:
    chosen = [Settings.from_environment({"HMAR_WORKER_NICE": text}) for text in ("0", "19")]
    assert [settings.worker_nice for settings in chosen] == [0, 19]
    with pytest.raises(ConfigError, match=r"HMAR_WORKER_NICE is 20\. Give a number from 0 to 19"):
        Settings.from_environment({"HMAR_WORKER_NICE": "20"})


def test_a_broker_is_refused_where_its_workers_could_not_see_the_database() -> None:
    memory = {"HMAR_DATABASE_URL": "memory:"}
    assert Settings.from_environment(memory).inline
    assert Settings.from_environment(memory | {"HMAR_REDIS_URL": "inline"}).inline
    with pytest.raises(ConfigError, match="HMAR_REDIS_URL"):
        Settings.from_environment(memory | {"HMAR_REDIS_URL": "redis://host/0"})


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"database_url": "memory:"}, "HMAR_DATABASE_URL"), ({"redis_url": "inline"}, "HMAR_REDIS_URL")],
)
def test_what_lives_in_one_process_is_refused_to_several(settings: dict[str, str], named: str) -> None:
    Settings().checked().check_shared()
    with pytest.raises(ConfigError, match=named):
        Settings(**settings).checked().check_shared()

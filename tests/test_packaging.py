"""What is shipped: pins, the wheel, the container files and the targets of make."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hmar import __version__
from tests import ohif
from tests.require import require_command

ROOT = Path(__file__).parents[1]
TARGETS = {
    "help",
    "setup",
    "run",
    "test",
    "test-fast",
    "check",
    "docs",
    "figures",
    "screenshots",
    "bench",
    "trust",
    "clean",
}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return found


def requirements(*extras: str) -> list[Requirement]:
    lines = list(project()["dependencies"])
    for extra in extras:
        lines += project()["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def pins() -> dict[str, str]:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return found


def instructions(keyword: str) -> list[str]:
    """Return the arguments of a Dockerfile's instructions of one kind, in order."""
    joined = read("Dockerfile").replace("\\\n", " ")
    return re.findall(rf"^{keyword}\s+(.*)$", joined, re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [path] = folder.glob("*.whl")
    assert path.name.startswith(f"hmar_search-{__version__}-py3-none-any")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_pins_are_exact_sorted_and_without_repetition() -> None:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert lines == sorted(set(lines), key=lambda line: line.split("=="))


def test_every_dependency_is_pinned_to_a_version_that_it_allows() -> None:
    pinned = pins()
    for requirement in requirements("train", "bench", "dev"):
        version = pinned[canonicalize_name(requirement.name)]
        assert Version(version) in requirement.specifier, requirement


def test_torch_is_needed_to_train_and_not_to_serve() -> None:
    training = {"torch", "onnxscript", "pykan", "nibabel"}
    served, trained = ({item.name for item in requirements(*extras)} for extras in ((), ("train",)))
    assert not training & served
    assert training < trained
    assert {"onnxruntime", "safetensors", "threadpoolctl"} <= served


def test_torch_is_pinned_to_the_release_and_not_to_one_build_of_it() -> None:
    assert pins()["torch"] == "2.13.0"


@pytest.mark.slow
def test_the_wheel_holds_all_that_the_source_needs_at_run_time(wheel: list[str]) -> None:
    for folder in ("hmar", "service", "workers", "benchmark"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in wheel


@pytest.mark.slow
def test_the_wheel_holds_the_models(wheel: list[str]) -> None:
    for path in (ROOT / "models").rglob("*"):
        if path.is_file():
            assert f"hmar/_models/{path.relative_to(ROOT / 'models').as_posix()}" in wheel


def test_the_wheel_holds_the_licence_and_neither_tests_nor_data(wheel: list[str]) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)
    assert {name.split("/")[0].split("-")[0] for name in wheel} == {
        "hmar",
        "service",
        "workers",
        "benchmark",
        "hmar_search",
    }


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert project()["license"] == "Apache-2.0"
    text = read("LICENSE")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_make_without_target_tells_every_target() -> None:
    make = require_command("make")
    told = subprocess.run([make], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([\w-]+)", told, re.MULTILINE)) == TARGETS - {"help"}
    [phony] = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_ci_runs_the_two_commands_of_the_readme_and_no_others() -> None:
    path = ROOT / ".ci" / "run"
    assert path.stat().st_mode & 0o100
    assert re.findall(r"^make .*$", path.read_text("utf-8"), re.MULTILINE) == ["make test", "make check"]
    assert "set -euo pipefail" in path.read_text("utf-8")


def test_compose_runs_the_three_parts_with_health_checks() -> None:
    services = compose()["services"]
    always = {name for name, service in services.items() if "profiles" not in service}
    assert always == {"redis", "worker", "service"}
    for service in services.values():
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["restart"] == "unless-stopped"
    for name in ("worker", "service"):
        command = services[name]["healthcheck"]["test"]
        assert command[:3] == ["CMD", "python", "-c"]
        compile(command[3], name, "exec")


def test_compose_gives_no_part_more_rights_than_it_needs() -> None:
    for service in compose()["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_compose_opens_ports_to_its_own_machine_alone() -> None:
    ports = {name: service.get("ports", []) for name, service in compose()["services"].items()}
    assert ports == {
        "redis": [],
        "worker": [],
        "service": ["127.0.0.1:8080:8080"],
        "orthanc": ["127.0.0.1:4242:4242"],
        "ohif": ["127.0.0.1:3000:8080"],
    }


def test_the_pacs_of_compose_is_a_profile_and_starts_with_no_empty_password() -> None:
    services = compose()["services"]
    assert {name for name, service in services.items() if service.get("profiles") == ["pacs"]} == {
        "orthanc",
        "ohif",
    }
    [start] = services["orthanc"]["command"]
    demanded = "${HMAR_PACS_PASSWORD:?set HMAR_PACS_PASSWORD"
    assert demanded in start
    assert demanded in read("examples/ohif/start")
    text = re.search(r"<<CONFIGURATION\n(.*?)CONFIGURATION\n", start, re.DOTALL)
    assert text is not None
    settings = json.loads(text[1])
    assert settings["AuthenticationEnabled"] is True
    assert settings["RegisteredUsers"] == {"hmar": "$$HMAR_PACS_PASSWORD"}


def test_the_viewer_of_compose_is_the_one_that_tests_look_at_and_reads_alone() -> None:
    recipe, proxy = read("examples/ohif/Dockerfile"), read("examples/ohif/nginx.conf")
    assert f"VERSION={ohif.VERSION}\n" in recipe
    assert f"SHA512={base64.b64decode(ohif.SHA512).hex()}\n" in recipe
    assert "limit_except GET { deny all; }" in proxy
    assert "http" not in read("examples/ohif/app-config.js")


def test_compose_holds_no_password_and_demands_one() -> None:
    text = read("docker-compose.yml")
    values = re.findall(r"^    (?:  )?(?:HMAR_REDIS_URL|REDISCLI_AUTH): (.*)$", text, re.MULTILINE)
    assert len(values) == 2
    assert all("${HMAR_REDIS_PASSWORD:?" in value for value in values)
    assert "requirepass $$REDISCLI_AUTH" in text


def test_the_parts_of_compose_share_one_volume_and_wait_for_the_broker() -> None:
    services = compose()["services"]
    for name in ("worker", "service"):
        assert services[name]["volumes"] == ["hmar-data:/data"]
        assert services[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert set(compose()["volumes"]) == {"hmar-data", "pacs-data"}


def test_compose_starts_modules_that_exist() -> None:
    for name, module in (("worker", "workers"), ("service", "service")):
        assert compose()["services"][name]["command"] == ["python", "-m", module]
        assert (ROOT / module / "__main__.py").is_file()


def test_the_image_is_built_in_two_stages_from_pinned_versions() -> None:
    assert instructions("FROM") == ["python:3.12-slim AS builder", "python:3.12-slim"]
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert len(installs) == 2
    assert all("-c constraints.txt" in line for line in installs)


def test_the_image_runs_without_root_and_checks_its_health() -> None:
    assert instructions("USER") == ["hmar"]
    assert instructions("VOLUME") == ["/data"]
    [check] = instructions("HEALTHCHECK")
    program, option, code = json.loads(check[check.index("[") :])
    assert (program, option) == ("python", "-c")
    assert "/healthz" in code
    compile(code, "HEALTHCHECK", "exec")
    environment = " ".join(instructions("ENV"))
    assert "HMAR_HOME=/data" in environment
    assert "HMAR_HOST=0.0.0.0" in environment


def test_everything_that_the_image_copies_is_let_into_its_context() -> None:
    allowed = {line[1:].rstrip("/") for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert read(".dockerignore").splitlines()[1] == "*"
    for line in instructions("COPY"):
        if not line.startswith("--from"):
            names = line.split()[:-1]
            assert set(names) <= allowed
            assert all((ROOT / name).exists() for name in names)

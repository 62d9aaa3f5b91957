"""The file of roles: what it allows together, and what is refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.errors import ConfigError, ForbiddenError
from hmar.oidc.roles import Roles
from hmar.values.identity import SCOPES, Identity
from tests.provider import ROLES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "roles.toml"


def test_roles_add_up(file: Path) -> None:
    file.write_text(ROLES)
    roles = Roles.read(file)
    assert len(roles) == 4
    both = roles.identity("anna", ["hmar-reader", "hmar-indexer"], "roles")
    assert both == Identity("anna", frozenset({"search", "index"}))
    assert roles.identity("anna", ["Domain Admins"], "roles").may("delete")


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.tuples(
            st.sets(st.sampled_from(SCOPES), min_size=1),
            st.none() | st.sets(st.sampled_from(["lung", "teaching", "x"]), min_size=1),
        ),
    ),
    st.lists(st.sampled_from("abcdefgh")),
)
def test_what_one_may_is_what_any_role_allows(
    allowed: dict[str, tuple[set[str], set[str] | None]], held: list[str]
) -> None:
    roles = Roles(
        {
            name: Identity("any", frozenset(scopes), None if seen is None else frozenset(seen))  # type: ignore[arg-type]
            for name, (scopes, seen) in allowed.items()
        }
    )
    known = [allowed[role] for role in held if role in allowed]
    if not known:
        with pytest.raises(ForbiddenError):
            roles.identity("anna", held, "roles")
        return
    identity = roles.identity("anna", held, "roles")
    for scope in SCOPES:
        assert (scope in identity.scopes) is any(scope in scopes for scopes, _ in known)
    for name in ("lung", "teaching", "x", "new"):
        assert identity.sees(name) is any(seen is None or name in seen for _, seen in known)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no role"),
        ("[a", "no TOML"),
        ("a = 1", "'a' has no scopes"),
        ("[a]", "'a' has no scopes"),
        ("[a]\nscopes = []", "'a': No scope was given"),
        ('[a]\nscopes = ["read"]', "'a': A scope is 'read'"),
        ('[a]\nscopes = "search"', "scopes = 'search'"),
        ("[a]\nscopes = [1]", r"scopes = \[1\]"),
        ('[a]\nscopes = ["search"]\ncollection = ["x"]', "has 'collection'"),
        ('[a]\nscopes = ["search"]\ncollections = []', "'a': No collection was given"),
        ('[a]\nscopes = ["search"]\ncollections = ["/x"]', "'/x'"),
        ('[a.b]\nscopes = ["search"]', "'a' has no scopes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_its_name(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        Roles.read(file)
    assert "roles.toml" in refused.value.detail
    assert refused.value.remedy


def test_a_file_that_cannot_be_read_is_refused_by_its_name(file: Path) -> None:
    with pytest.raises(ConfigError, match="HMAR_OIDC_ROLES_FILE"):
        Roles.read(file)
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no TOML"):
        Roles.read(file)

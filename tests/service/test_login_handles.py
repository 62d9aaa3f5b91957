"""How the page tells logins apart."""

from __future__ import annotations

import re

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from service.login_handles import handle_of
from tests.service.conftest import Archive

SECRET = b"secret"
NAMED = Identity(f"{PAGE_LOGIN} anna", EVERYDAY)


def test_logins_of_one_name_and_the_same_rights_have_one_handle_and_others_have_others() -> None:
    others = [
        Identity(PAGE_LOGIN, EVERYDAY),
        Identity(NAMED.name, frozenset({"search"})),
        Identity(NAMED.name, EVERYDAY, frozenset({"a"})),
        Identity(NAMED.name, EVERYDAY, frozenset({"a", "b"})),
    ]
    handles = [handle_of(one, SECRET) for one in (NAMED, *others)]
    assert len(set(handles)) == len(handles)
    assert handle_of(Identity(NAMED.name, frozenset(sorted(EVERYDAY))), SECRET) == handles[0]
    assert handle_of(NAMED, b"other") != handles[0]


def test_the_page_has_the_handle_and_not_the_name(archive: Archive) -> None:
    identity = Identity("someone", EVERYDAY)
    key = archive.engine.keys.create(identity)
    page = archive.stranger.get("/", headers={"Authorization": f"Bearer {key}"}).text
    found = re.search(r'data-login="([0-9a-f]{16})"', page)
    assert found is not None
    assert found[1] == handle_of(identity, archive.engine.secrets.session)
    assert "someone" not in page

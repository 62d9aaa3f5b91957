"""Listing and fetching from a PACS, also from one that misbehaves in the ways that are known of real ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydicom.uid import UID

from hmar.adapters.dicomweb import PacsSource, Site, read_sites
from hmar.adapters.dicomweb.breaker import FAILURES, REST_S, Breaker
from hmar.errors import ConfigError, LimitError, NotFoundError, PacsError, ParameterError
from hmar.values.pulls import InstanceReference, Pull
from tests.pacs import Habits, Pacs, held
from tests.phantoms import ct_file, series_uid, sop_uid

LARGE = 1 << 30
TODAY = date(2026, 1, 1)
FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]
ALL = [str(InstanceReference("main", *held(data)[:3])) for data in FILES]


def source(pacs: Pacs, folder: Path, auth: str = "", more: str = "") -> PacsSource:
    file = folder / "pacs.toml"
    file.write_text(f'[main]\nroot = "{pacs.url}//dicom-web/"\n{more}\n{auth}')
    return PacsSource(read_sites(file), sleep=lambda _: None, today=lambda: TODAY)


def asked_rows(pacs: Pacs) -> list[str]:
    return [path for path in pacs.asked if "?" in path]


def test_everything_is_listed_by_series_and_fetched_as_it_is(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        found = source(pacs, tmp_path)
        assert list(found.list("main")) == ALL
        assert [found.fetch(reference, LARGE) for reference in ALL] == FILES
        assert list(found.list(ALL[0])) == [ALL[0]]
    # Root and service are joined by one slash, whatever the file of PACS says.
    assert not any("//" in path for path in pacs.asked)


@pytest.mark.parametrize(
    ("pull", "series"),
    [
        (Pull("main", since=date(2020, 1, 2)), [2]),
        (Pull("main", until=date(2020, 1, 1)), [1]),
        (Pull("main", modality="CT", since=date(2020, 1, 1), until=date(2020, 1, 2)), [1, 2]),
        (Pull("main", study_uid=held(FILES[0]).study), [1]),
        (Pull("main", study_uid=held(FILES[3]).study, series_uid=held(FILES[3]).series), [2]),
    ],
    ids=str,
)
def test_only_what_is_wanted_is_listed(pull: Pull, series: list[int], tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        listed = list(source(pacs, tmp_path).list(str(pull)))
    assert listed == [
        reference
        for reference in ALL
        if InstanceReference.parse(reference).series_uid in map(series_uid, series)
    ]


def test_nothing_wanted_is_said(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs, pytest.raises(NotFoundError, match="main has no images"):
        list(source(pacs, tmp_path).list("main?modality=MR"))


def test_what_is_no_picture_is_not_fetched(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        pacs.files[0] = pacs.files[0]._replace(sop_class="1.2.840.10008.5.1.4.1.1.88.22")
        assert list(source(pacs, tmp_path).list("main")) == ALL[1:]


def many(pacs: Pacs, count: int, days: int = 1) -> None:
    """Let a PACS have one instance in each of so many studies, spread over some days."""
    file = pacs.files[0]
    pacs.files = [
        file._replace(
            study=f"1.2.3.{number}",
            series=f"1.2.3.{number}.1",
            instance=f"1.2.3.{number}.1.1",
            study_date=f"202001{number % days + 1:02}",
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "habits",
    [
        Habits(),
        Habits(most_rows=7),
        Habits(ignores_limit=True),
        Habits(ignores_offset=True, ignores_limit=True),
        Habits(ignores_offset=True),
    ],
    ids=["as it should be", "pages of seven", "no limit", "all, always", "the first page, always"],
)
def test_all_studies_are_listed_however_a_server_pages(habits: Habits, tmp_path: Path) -> None:
    with Pacs.serving([FILES[0]], habits) as pacs:
        many(pacs, 60, days=28)
        listed = list(source(pacs, tmp_path, more="page = 20").list("main"))
    assert sorted(listed) == sorted(f"main/{file.study}/{file.series}/{file.instance}" for file in pacs.files)


def test_a_silent_cap_is_met_by_asking_day_by_day_and_said_where_a_day_is_not_enough(tmp_path: Path) -> None:
    class Capped(Pacs):
        def rows(self, path, query):
            return Pacs.rows(self, path, query)[: max(0, 100 - int(query["offset"]))]

    with Capped.serving([FILES[0]]) as pacs:
        many(pacs, 250, days=25)
        assert len(list(source(pacs, tmp_path).list("main"))) == 250
        many(pacs, 250, days=1)
        with pytest.raises(PacsError, match=r"lists 100 studies of 2020-01-01, and may have more"):
            list(source(pacs, tmp_path).list("main"))


def test_a_cap_on_the_one_day_that_is_wanted_is_said(tmp_path: Path) -> None:
    with Pacs.serving([FILES[0]], Habits(ignores_offset=True)) as pacs:
        many(pacs, 30)
        wanted = "main?since=2020-01-01&until=2020-01-01"
        with pytest.raises(PacsError, match="lists 20 studies of 2020-01-01, and may have more"):
            list(source(pacs, tmp_path, more="page = 20").list(wanted))


def test_a_source_that_lives_for_days_asks_for_the_studies_of_today(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        (tmp_path / "pacs.toml").write_text(f'[main]\nroot = "{pacs.url}/dicom-web"')
        now = [date(2020, 1, 1)]
        found = PacsSource(read_sites(tmp_path / "pacs.toml"), today=lambda: now[0])
        assert list(found.list("main?since=2020-01-01")) == ALL[:3]
        now[0] = date(2020, 1, 2)
        assert list(found.list("main?since=2020-01-01")) == ALL


def test_pages_are_halved_until_the_server_answers_in_time(tmp_path: Path) -> None:
    with Pacs.serving(FILES, Habits(slow_above=60, stall_s=1.0)) as pacs:
        assert list(source(pacs, tmp_path, more="read_s = 0.3").list("main")) == ALL
    limits = [int(path.split("limit=")[1].split("&")[0]) for path in asked_rows(pacs)]
    assert limits[:3] == [200, 100, 50]
    assert set(limits[2:]) == {50}


def test_instances_that_are_counted_and_not_listed_are_named(tmp_path: Path) -> None:
    with Pacs.serving(FILES[:3], Habits(says_more=2)) as pacs:
        found = source(pacs, tmp_path)
        *listed, rest = found.list("main")
        assert listed == ALL[:3]
        with pytest.raises(NotFoundError, match="the series has 5 instances, and lists 3"):
            found.fetch(rest, LARGE)


@pytest.mark.parametrize(
    "habits",
    [
        Habits(bare=True),
        Habits(bare=True, retrieved_as="text/html"),
        Habits(retrieved_as="application/dicom"),
        Habits(retrieved_as='multipart/related; boundary="another"'),
        Habits(refuses=("transfer-syntax=*",)),
        Habits(refuses=("multipart",), bare=True),
    ],
    ids=["bare", "bare html", "multipart unsaid", "wrong boundary", "no star", "no multipart"],
)
def test_a_file_is_known_by_its_bytes_in_whatever_form_it_comes(habits: Habits, tmp_path: Path) -> None:
    with Pacs.serving(FILES[:1], habits) as pacs:
        found = source(pacs, tmp_path)
        assert found.fetch(ALL[0], LARGE) == FILES[0]
        before = len(pacs.asked)
        assert found.fetch(ALL[0], LARGE) == FILES[0]
        # The form that worked is the first from then on.
        assert len(pacs.asked) == before + 1


@pytest.mark.parametrize(
    ("habits", "said"),
    [
        (Habits(refuses=("",)), r"in no form that can be read \(it answered 406, 406, 406, 406\)"),
        (Habits(sends_instead=b"<html></html>"), "200 without a DICOM file"),
    ],
)
def test_what_cannot_be_retrieved_is_said(habits: Habits, said: str, tmp_path: Path) -> None:
    with Pacs.serving(FILES[:1], habits) as pacs, pytest.raises(NotFoundError, match=said):
        source(pacs, tmp_path).fetch(ALL[0], LARGE)


def test_an_instance_that_is_gone_or_too_large_is_said(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        found = source(pacs, tmp_path)
        with pytest.raises(
            LimitError, match=f"has {len(FILES[0])} bytes; at most {len(FILES[0]) - 1} are read"
        ):
            found.fetch(ALL[0], len(FILES[0]) - 1)
        with pytest.raises(LimitError, match="larger than"):
            found.fetch(ALL[0], 1 - (1 << 16))
        del pacs.files[0]
        with pytest.raises(NotFoundError, match="no more"):
            found.fetch(ALL[0], LARGE)


def test_a_connection_that_breaks_off_is_tried_again_and_then_said(tmp_path: Path) -> None:
    with Pacs.serving(FILES, Habits(breaks_off=500)) as pacs:
        found = source(pacs, tmp_path, more="tries = 3")
        with pytest.raises(PacsError, match="The connection to the PACS main broke"):
            found.fetch(ALL[0], LARGE)
        assert len(pacs.asked) == 3
        pacs.habits.breaks_off = None
        assert found.fetch(ALL[0], LARGE) == FILES[0]


def test_a_busy_server_is_waited_for(tmp_path: Path) -> None:
    with Pacs.serving(FILES, Habits(busy=3)) as pacs:
        assert source(pacs, tmp_path).fetch(ALL[0], LARGE) == FILES[0]
        pacs.habits.busy = 4
        with pytest.raises(PacsError, match="goes on answering 503"):
            source(pacs, tmp_path).fetch(ALL[0], LARGE)


def test_a_dead_server_is_left_alone_for_a_while(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        found = source(pacs, tmp_path, more="tries = 5")
    with pytest.raises(PacsError, match="cannot be reached"):
        found.fetch(ALL[0], LARGE)
    with pytest.raises(PacsError, match="left alone"):
        found.fetch(ALL[0], LARGE)


def test_after_a_rest_one_request_tries_and_an_answer_ends_the_rest() -> None:
    now = [0.0]
    breaker = Breaker("main", lambda: now[0])
    for _ in range(FAILURES):
        breaker.check()
        breaker.failed()
    with pytest.raises(PacsError, match="failed 5 times in a row"):
        breaker.check()
    now[0] = REST_S
    breaker.check()
    with pytest.raises(PacsError):
        breaker.check()
    breaker.worked()
    breaker.check()


@pytest.mark.parametrize(
    ("habits", "said"),
    [
        (Habits(garbage=True), "no DICOM JSON"),
        (Habits(redirects=True), "redirects"),
        (Habits(user=("hmar", "secret")), r"does not let us ask: it answered 401"),
    ],
)
def test_a_wrong_server_is_said_and_not_taken_for_an_empty_one(
    habits: Habits, said: str, tmp_path: Path
) -> None:
    with Pacs.serving(FILES, habits) as pacs, pytest.raises(PacsError, match=said):
        list(source(pacs, tmp_path).list("main"))


def test_a_password_is_read_from_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret: two\n")
    auth = '[main.auth]\nkind = "basic"\nuser = "hmar"\npassword_file = "password"'
    with Pacs.serving(FILES, Habits(user=("hmar", "secret: two"))) as pacs:
        assert list(source(pacs, tmp_path, auth).list("main")) == ALL


def test_a_token_that_ends_during_a_pull_is_renewed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("ours")
    with Pacs.serving(FILES, Habits(token_life_s=0.2)) as pacs:
        auth = (
            f'[main.auth]\nkind = "oauth2"\ntoken_url = "{pacs.url}/token"\n'
            'client_id = "hmar"\nclient_secret_file = "secret"\nscope = "dicom"'
        )
        found = source(pacs, tmp_path, auth)
        for _ in range(3):
            assert list(found.list("main")) == ALL
            for token in pacs.tokens:
                pacs.tokens[token] = 0.0
        assert len(pacs.tokens) >= 3
        pacs.habits.token_life_s = -1.0
        with pytest.raises(PacsError, match="does not let us ask"):
            found.fetch(ALL[0], LARGE)


def test_a_token_of_a_file_is_read_with_every_request(tmp_path: Path) -> None:
    auth = '[main.auth]\nkind = "bearer"\ntoken_file = "token"'
    with Pacs.serving(FILES, Habits(token_life_s=60.0)) as pacs:
        for number in range(2):
            pacs.token()
            (tmp_path / "token").write_text(f"token-{number}")
            assert source(pacs, tmp_path, auth).fetch(ALL[0], LARGE) == FILES[0]
            pacs.tokens[f"token-{number}"] = 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[main", "no TOML"),
        ('[Main]\nroot = "https://a"', "'Main'"),
        ('[main]\nroot = "ftp://a"', "'ftp://a'"),
        ('[main]\nroot = "http://pacs.example/dicom-web"', "unencrypted"),
        ('[main]\nroot = "https://user:word@pacs.example"', "as root of QIDO"),
        ('[main]\nqido = "https://a"', "as root of WADO"),
        ('[main]\nroot = "https://a"\npages = 3', "'pages'"),
        ('[main]\nroot = "https://a"\npage = 0', "0 as page"),
        ('[main]\nroot = "https://a"\npage = 1.5', "1.5 as page"),
        ('[main]\nroot = "https://a"\nclient_cert = "a.pem"', "one of client_cert and client_key"),
        ('[main]\nroot = "https://a"\n[main.auth]\nkind = "magic"', "'magic'"),
        ('[main]\nroot = "https://a"\n[main.auth]\nkind = "basic"\nuser = "a"', "no password_file"),
        ('[main]\nroot = "https://a"\n[main.auth]\nkind = "basic"\npassword = "a"', "'password'"),
        ("main = 3", "main is no table"),
    ],
)
def test_a_file_of_pacs_that_cannot_be_used_is_refused_by_name(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_sites(tmp_path / "pacs.toml")


def test_a_site_without_a_file_has_no_pacs(tmp_path: Path) -> None:
    assert read_sites(tmp_path / "pacs.toml") == {}
    with pytest.raises(NotFoundError, match=r"no PACS called 'main'\. The file of PACS names none"):
        list(PacsSource({}).list("main"))


def test_roots_may_differ_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text(
        '[main]\nroot = "https://a.example//x/"\nwado = "https://b.example/"\n'
        'ca_file = "ca.pem"\ntotal_s = 30'
    )
    site = read_sites(tmp_path / "pacs.toml")["main"]
    assert site == Site(
        "main",
        qido="https://a.example/x",
        wado="https://b.example",
        stow="https://a.example/x",
        ca_file=tmp_path / "ca.pem",
        total_s=30.0,
    )


@pytest.mark.parametrize(
    "text",
    [
        "main?patient_id=42",
        "main?since=yesterday",
        "../main",
        "main?modality=ct",
        "main?series_uid=1.2",
        "main?study_uid=a%2Fb",
    ],
)
def test_what_cannot_be_asked_for_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        Pull.parse(text)


def test_a_pull_is_read_as_it_was_written() -> None:
    pull = Pull("main", "CT", date(2020, 1, 1), date(2020, 2, 1), str(sop_uid(1, 1)), UID("1.2"))
    assert Pull.parse(str(pull)) == pull

import pytest

from benchmark.typicality.people import people_digest, read_people
from hmar.errors import DecodeError, NotFoundError, ParameterError
from tests.benchmark.lesions.folders import CHOOSE, REPORT, write_person

QUIET = lambda what, done, total: None  # noqa: E731


@pytest.fixture
def folders(tmp_path):
    write_person(tmp_path / "one", CHOOSE[0], 1, slices=3)
    write_person(tmp_path / "one", REPORT[0], 2, slices=1)
    write_person(tmp_path / "two", REPORT[0], 3, slices=1, first=7)
    write_person(tmp_path / "two", REPORT[1], 4, slices=2)
    return [tmp_path / "one", tmp_path / "two"]


def test_halves_follow_from_names_and_people_of_one_name_are_one(folders):
    read = list(read_people(folders, "names", QUIET))
    assert [(one.person, one.half) for one in read] == [
        *[(CHOOSE[0], "choose")] * 3,
        *[(REPORT[0], "report")] * 2,
        *[(REPORT[1], "report")] * 2,
    ]
    assert [one.middle for one in read] == [False, True, False, False, True, False, True]


def test_halves_may_follow_from_folders_where_who_is_in_the_first_stays_there(folders):
    halves = {one.person: one.half for one in read_people(folders, "folders", QUIET)}
    assert halves == {CHOOSE[0]: "choose", REPORT[0]: "choose", REPORT[1]: "report"}


def test_one_folder_cannot_be_split_by_folders(folders):
    with pytest.raises(ParameterError, match="All 2 people are in the first folder"):
        list(read_people(folders[:1], "folders", QUIET))


def test_a_folder_of_nobody_is_refused(folders, tmp_path):
    (tmp_path / "three").mkdir()
    with pytest.raises(NotFoundError, match="three holds nobody"):
        list(read_people([*folders, tmp_path / "three"], "names", QUIET))


def test_a_broken_file_is_named_by_its_number_and_not_by_its_person(folders):
    (folders[0] / CHOOSE[0] / "001.dcm").write_bytes(b"no image")
    with pytest.raises(DecodeError, match="File 2 of 7") as caught:
        list(read_people(folders, "names", QUIET))
    assert f"/{CHOOSE[0]}/" not in str(caught.value)


def test_the_digest_follows_from_names_and_content(folders):
    before = people_digest(folders)
    assert before == people_digest(folders) == people_digest(folders[::-1])
    file = folders[0] / CHOOSE[0] / "001.dcm"
    file.write_bytes(file.read_bytes() + b"\0\0")
    assert people_digest(folders) != before

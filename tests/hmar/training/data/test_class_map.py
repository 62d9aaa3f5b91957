import pytest

from hmar.errors import DecodeError
from hmar.training.data.class_map import read_class_map

REMEDY = "Fetch it again."


def test_names_in_a_python_file_are_read_as_data_and_never_run(tmp_path):
    source = tmp_path / "names.py"
    source.write_text("raise SystemExit\nclass_map = {'total': {1: 'spleen', 3: 'liver'}}\n")
    assert read_class_map(source, REMEDY) == {1: "spleen", 3: "liver"}


def test_names_in_a_table_are_read_by_its_columns(tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("structure,volume_ml,id\nspleen,150,1\nliver,1500,3\n")
    assert read_class_map(table, REMEDY) == {1: "spleen", 3: "liver"}


@pytest.mark.parametrize(("name", "text"), [
    ("names.py", "other = 1\n"),
    ("names.py", "class_map = {'other': {}}\n"),
    ("names.py", "class_map = {'total': open('x')}\n"),
    ("names.py", "class_map = {\n"),
    ("names.csv", "number,structure\n1,spleen\n"),
    ("names.csv", "id,structure\none,spleen\n"),
])  # fmt: skip
def test_a_file_without_names_is_refused_by_its_path_with_the_remedy(name, text, tmp_path):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(DecodeError, match=name) as error:
        read_class_map(file, REMEDY)
    assert error.value.remedy == REMEDY

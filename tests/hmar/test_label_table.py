from pathlib import Path

import pytest

from hmar.errors import ParameterError
from hmar.label_table import LabelRow, read_labels


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_name_files_or_uids_a_label_and_a_patient(tmp_path):
    path = table(
        tmp_path,
        "\ufeffFile,SOPInstanceUID,series_instance_uid,Label,Patient\n"
        "a/1.png,,,fracture , p1\n,1.2,1.3,no finding,\n",
    )
    assert read_labels(path) == [
        LabelRow(tmp_path / "a/1.png", (), "fracture", "p1"),
        LabelRow(None, ("1.2", "1.3"), "no finding", None),
    ]


@pytest.mark.parametrize("header", ["filename,label", "path,label", "uid,label", "file,group,label"])
def test_columns_may_be_named_as_tables_in_the_field_name_them(header, tmp_path):
    assert len(read_labels(table(tmp_path, f"{header}\nx,y,z\n"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,patient\na,b\n", "no table of labels"),
        ("path,patient\na,b\n", "no table of labels"),
        ("path,label\na,b\x07c\n", "The label is"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(text, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        read_labels(table(tmp_path, text))


def test_what_is_no_text_is_refused_by_its_name_alone(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(ParameterError, match=r"^labels\.csv cannot be read") as error:
        read_labels(path)
    assert str(tmp_path) not in str(error.value)

import io

import pytest
from click.testing import CliRunner
from rich.console import Console

from hmar.cli import main
from hmar.cli.progress import progress_of


def test_progress_in_a_log_is_a_line_at_every_tenth():
    output = io.StringIO()
    with progress_of(Console(file=output, width=100)) as progress:
        progress("fetching", 0, 0)
        for done in range(1, 31):
            progress(f"stage 1, loss {done}", done, 30)
    lines = output.getvalue().splitlines()
    assert lines[0] == "fetching"
    assert len(lines) == 11
    assert lines[-1] == "stage 1, loss 30: 30 of 30"


@pytest.mark.parametrize(
    ("init", "status", "message"),
    [
        ("radimagenet:{}/absent.pt", 3, "absent.pt cannot be read as weights"),
        ("imagenet:{}/weights.pt", 2, "Give radimagenet:PATH"),
        ("radimagenet:", 2, "Give radimagenet:PATH"),
    ],
)
def test_weights_are_refused_before_anything_is_fetched_or_written(init, status, message, tmp_path):
    pytest.importorskip("kan", reason="the extra 'train' is not installed")
    result = CliRunner().invoke(
        main,
        ["train", "--out", str(tmp_path / "out"), "--init", init.format(tmp_path)],
        env={"HMAR_HOME": str(tmp_path / "home")},
    )
    assert result.exit_code == status
    assert message in result.output
    assert list(tmp_path.iterdir()) == []

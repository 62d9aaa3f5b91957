import io

from rich.console import Console

from hmar.cli.train import progress_of


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

import json

import pytest
from PIL import Image

from hmar.training.export.curves import draw_curves


@pytest.mark.slow
def test_curves_are_a_picture_of_the_log(tmp_path):
    log, picture = tmp_path / "training.jsonl", tmp_path / "training.png"
    steps = [
        {"stage": stage, "number": n, "total": 3, "losses": {"gated": 1 / n, "total": 2 / n}, "validation": v}
        for stage in (1, 2, 3)
        for n, v in ((1, None), (2, None), (3, 0.5 if stage > 1 else None))
    ]
    log.write_text("".join(json.dumps(step) + "\n" for step in steps))
    draw_curves(log, picture)
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 400

"""The whole product with the shipped model: files sent to the API, a nodule boxed in a browser, hits seen."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.e2e.page import Page
from tests.e2e.product import REPOSITORY, Product, started
from tests.phantoms import SPACING_MM, ct_file

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SLICES = 6
NODULE = (60.0, 84.0)
BOUNDARY = "a-line-that-no-file-holds"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    with started(tmp_path / "home", HMAR_MODEL_DIR="") as running:
        yield running


def upload(product: Product, files: list[bytes]) -> str:
    """Send files to be indexed; return the job."""
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode()
    body = b"".join(part + data + b"\r\n" for data in files) + f"--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {product.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    request = urllib.request.Request(f"{product.url}/api/v1/index-jobs", body, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(json.load(response)["job_id"])


def test_a_nodule_boxed_in_a_browser_is_found_by_the_shipped_model(
    product: Product, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    files = [ct_file(1, number, NODULE) for number in range(1, SLICES + 1)]
    files += [ct_file(2, number) for number in range(1, SLICES + 1)]
    job = product.finished(upload(product, files))
    assert (job["state"], job["frames"]) == ("done", 2 * SLICES), product.output()

    page = Page(browser)
    page.log_in(product.command("keys", "login").stdout.strip())
    [model] = (folder.name for folder in (REPOSITORY / "models").iterdir() if folder.is_dir())
    assert page.text("#model") == model
    page.open_series(0)
    page.until(lambda: page.find("#search").is_enabled())
    page.search_all()
    page.find("#canvas").click()
    page.drag_box(*NODULE, side=20)
    page.press(Keys.ENTER)
    page.until(lambda: len(page.hits()) == 10)
    browser.save_screenshot(str(tmp_path / "hits.png"))

    own = [hit for hit in page.hits()[: SLICES - 1] if "this series" in hit.text]
    assert len(own) >= SLICES - 2, [hit.text for hit in page.hits()]
    box = page.all("#hits .hit-image rect")[0]
    centre = [
        float(box.get_attribute(start) or 0) + float(box.get_attribute(size) or 0) / 2
        for start, size in (("x", "width"), ("y", "height"))
    ]
    assert max(abs(a - b) for a, b in zip(centre, NODULE, strict=True)) * SPACING_MM < 25
    assert page.mistakes() == []

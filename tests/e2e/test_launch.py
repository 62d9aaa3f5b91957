"""The page in a browser, opened by a link of another program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selenium import webdriver

from hmar.values.entries import Origin
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid

pytestmark = pytest.mark.slow

LINK = (
    f"/IHEInvokeImageDisplay?requestType=STUDY&studyUID={ROOT}.91&instanceUID={sop_uid(1, 3)}"
    "&region=50,70,20,24"
)


@pytest.fixture
def other_site() -> Iterator[list[str]]:
    """A page of another program: its address, before which the test puts where its link leads."""
    links: list[str] = []  # the link, once the test has put it before the address

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f'<a id="link" href="{links[0]}">Similar images</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    # Another host than that of the product: another site to the browser.
    links.append(f"http://localhost:{site.server_port}")
    yield links
    site.shutdown()
    site.server_close()
    thread.join()


def test_a_link_opens_the_image_with_its_region_after_the_login_and_from_another_site(
    browser: webdriver.Chrome, server: Server, other_site: list[str]
) -> None:
    folder = server.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    for number in range(1, 5):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    server.engine.indexer.submit("default", Origin("import", "chest"))
    page = Page(browser)

    def opened() -> None:
        page.until(lambda: page.text("#frame-text") == "Image 3 of 4")
        page.until(lambda: "(20 \N{MULTIPLICATION SIGN} 24 px)" in page.text("#box-text"))
        assert page.text("#search") == "Search region"

    browser.get(server.url + LINK)
    page.until(lambda: "You are not logged in" in page.text("body"))
    browser.get(server.login_link())
    page.find("#log-in").click()
    opened()
    # The login cookie is not sent along with a link of another site, and yet nobody logs in again.
    [address] = other_site
    other_site.insert(0, server.url + LINK)
    browser.get(address)
    page.find("#link").click()
    opened()
    browser.get(f"{server.url}/?series={series_uid(1)}")
    page.until(lambda: page.text("#frame-text") == "Image 3 of 4")
    assert "px" not in page.text("#box-text")
    browser.get(f"{server.url}/?study=1.2.3")
    page.until(lambda: "The image is not indexed" in page.text("#problem"))

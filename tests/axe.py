"""axe-core: the rules that a page's accessibility is judged by.

Tests alone use it; it is not shipped (MPL-2.0).
"""

from __future__ import annotations

import tarfile
from functools import cache

from selenium import webdriver

from tests.downloads import npm_package

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""As the npm registry tells it (dist.integrity)."""
GRAVE = {"serious", "critical"}
JUDGE = """
const done = arguments[arguments.length - 1];
const told = ({ id, impact, nodes }) => [impact, id, nodes.map((node) => node.html)];
axe.run({ resultTypes: ["violations"] }).then(
  ({ violations }) => done(violations.map(told)),
  (error) => done([["critical", String(error), []]]),
);
"""


def barriers(browser: webdriver.Chrome) -> list[str]:
    """Return what of the page on the screen is a serious or critical barrier, in words."""
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(_script())
    found = browser.execute_async_script(JUDGE)
    return [f"{rule}: {' | '.join(nodes[:5])}" for impact, rule, nodes in found if impact in GRAVE]


@cache
def _script() -> str:
    packed = npm_package("axe-core", VERSION, SHA512)
    with tarfile.open(packed) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package")
def tiny_backbone_is_known() -> Iterator[None]:
    """Let tests build networks on the tiny backbone."""
    from tests.hmar.training.tiny import registered

    with registered():
        yield

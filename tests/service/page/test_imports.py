"""The page's modules fit each other: what one imports, the other exports. No module bundler looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

MODULES = Path(__file__).parents[3] / "service" / "page" / "static" / "js"
IMPORT = re.compile(r"import\s*\{([^}]*)\}\s*from\s*\"([^\"]+)\"")
EXPORT = re.compile(r"export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)")


def imports() -> Iterator[tuple[Path, str, Path]]:
    for module in sorted(MODULES.rglob("*.js")):
        for names, source in IMPORT.findall(module.read_text("utf-8")):
            for name in filter(None, (part.strip() for part in names.split(","))):
                yield module, name.split(" as ")[0], (module.parent / source).resolve()


def test_what_a_module_imports_is_exported() -> None:
    missing = [
        f"{module.relative_to(MODULES)}: {name} of {source.name}"
        for module, name, source in imports()
        if not source.is_file() or name not in EXPORT.findall(source.read_text("utf-8"))
    ]
    assert missing == []


def test_nothing_is_exported_for_nobody() -> None:
    used = {(source, name) for _, name, source in imports()}
    tested = " ".join(test.read_text("utf-8") for test in Path(__file__).parent.glob("*.mjs"))
    unused = [
        f"{module.relative_to(MODULES)}: {name}"
        for module in sorted(MODULES.rglob("*.js"))
        for name in EXPORT.findall(module.read_text("utf-8"))
        if (module.resolve(), name) not in used and not re.search(rf"\b{name}\b", tested)
    ]
    assert unused == []

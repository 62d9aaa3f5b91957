"""The page's style sheet: light and dark, without anything from elsewhere."""

from __future__ import annotations

# Light: dark enough for text on white; dark: light enough for text on near-black. One hue each.
_LIGHT = ("#1a56b0", "#b3470a", "#12784a", "#a3226e", "#7a5a00", "#5b3fb5", "#0d6f80", "#5c5f66")
_DARK = ("#7fb2ff", "#ff9e5e", "#5fd39a", "#f58cc4", "#e0bf4a", "#b9a3ff", "#5ccfe0", "#b4b8c0")

_BASE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1d21;--soft:#5a5e66;--rule:#dcdfe4;--band:#f5f6f8;
--warn:#8a4b00;--warn-paper:#fff2dc;LIGHT}
@media (prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#e8e9ec;--soft:#a4a8b0;--rule:#363a42;
--band:#1d2026;--warn:#ffc46b;--warn-paper:#3a2a10;DARK}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:2rem 1.25rem 4rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.3rem;margin:2.75rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.75rem 0 .4rem}
p{max-width:70ch;margin:.3rem 0 .8rem}.note,dd{color:var(--soft)}
summary{cursor:pointer}
dt{font-weight:600;margin-top:.5rem}dd{margin:0;max-width:70ch}
.wide{overflow-x:auto;margin:.5rem 0 1.25rem}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:.35rem .65rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
th{border-bottom:2px solid var(--rule);white-space:nowrap}
tbody th{font-weight:500;border-bottom-width:1px}
td{white-space:nowrap}td.n{text-align:right}td.long{white-space:normal;min-width:16rem}
tbody tr:nth-child(even){background:var(--band)}
tr.marked{box-shadow:inset 3px 0 var(--warn)}
.mark{display:inline-block;margin-left:.45em;padding:0 .4em;border:1px solid var(--warn);border-radius:3px;
background:var(--warn-paper);color:var(--warn);font-size:.8em;font-weight:600;white-space:nowrap}
.warn{padding:.5rem .75rem;border-left:4px solid var(--warn);background:var(--warn-paper);color:var(--ink)}
figure{margin:1rem 0 1.5rem}figure img{max-width:100%;height:auto;border-radius:4px}
figcaption{color:var(--soft);font-size:.875rem;max-width:90ch}
svg{width:100%;max-width:60rem;height:auto;display:block;margin:.75rem 0}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .plot-title{font-size:15px;font-weight:600}
svg .tick,svg .axis{fill:var(--soft)}svg .end{text-anchor:end}svg .middle{text-anchor:middle}
svg .bar-value{font-size:9px;fill:var(--soft)}
svg .grid{stroke:var(--rule);fill:none}
svg .line{fill:none;stroke-width:1.6}svg .strong{stroke-width:3.4}
svg .whisker{stroke-width:1.2;opacity:.55}
svg .leader{stroke:var(--soft);stroke-width:.6;fill:none;opacity:.7}
"""


def style_sheet() -> str:
    """Return the CSS; classes ``cN``, ``sN`` and ``tN`` fill, stroke and write in colour N."""
    rules = "".join(
        f"svg .c{n}{{fill:var(--c{n})}}svg .s{n}{{stroke:var(--c{n})}}svg text.t{n}{{fill:var(--c{n})}}\n"
        for n in range(len(_LIGHT))
    )
    return _BASE.replace("LIGHT", _variables(_LIGHT)).replace("DARK", _variables(_DARK)) + rules


def _variables(colours: tuple[str, ...]) -> str:
    return "".join(f"--c{position}:{colour};" for position, colour in enumerate(colours))

"""The commands of the benchmark: ``hmar bench`` and ``hmar demo``."""

from hmar.cli.commands import Command

COMMANDS = {
    "bench": Command("benchmark.cli.bench", "bench", "Measure how well and how fast images are found."),
    "demo": Command("benchmark.cli.demo", "demo", "Find a real nodule again, and measure how well."),
}
"""The commands that this package registers by the entry point ``hmar.commands``."""

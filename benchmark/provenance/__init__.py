"""Where a result comes from: code, machine, arguments; and how results are kept."""

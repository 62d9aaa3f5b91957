"""An archive measured by what its own users judged."""

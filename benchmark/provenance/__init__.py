"""Provenance of results (code, machine, versions, arguments), and the files that keep them."""

"""A client of the REST API that has the verbs of :class:`hmar.Archive`; docs/integration.md is the manual."""

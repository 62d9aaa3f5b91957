"""The nodule of the sample study: queries with it, and the run of ``hmar demo``."""

"""The nodule of the sample study as queries."""

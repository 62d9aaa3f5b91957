"""Thresholds at the medians of an archive's own logits. Needs no torch: only the serving form is run."""

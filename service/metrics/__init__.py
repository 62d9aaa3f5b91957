"""Figures for Prometheus: no patient's data, no UID, no name of a collection or of a key is in them."""

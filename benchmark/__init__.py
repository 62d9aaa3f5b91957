"""Measures how well and how fast images are found: data sets, peers, protocols, figures and reports."""

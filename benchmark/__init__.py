"""Measures the product on real data."""

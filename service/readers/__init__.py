"""Readers of requests: query, form, JSON, credentials. Each refuses what is unknown, and what comes twice."""

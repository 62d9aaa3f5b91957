"""Readers of what a request is made of: form, JSON, credentials. Each refuses what comes twice."""

"""Ports on SQLite or PostgreSQL."""

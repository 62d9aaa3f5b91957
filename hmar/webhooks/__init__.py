"""Webhooks: what was indexed and deleted is sent to those who subscribed, signed and in order."""

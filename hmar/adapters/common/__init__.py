"""What the adapters of one port share."""

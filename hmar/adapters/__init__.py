"""hmar/adapters."""

"""Backups: one file with all that an archive cannot make again, verified when it is written and when read."""

"""What an archive of a size needs, computed from what was measured."""

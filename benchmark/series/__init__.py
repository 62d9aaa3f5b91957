"""Series that show what another series shows: ``hmar bench series``."""

"""What typicality is measured from, fitted to frames: of volumes, of folders, of an archive."""

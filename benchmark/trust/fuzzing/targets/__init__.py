"""The fuzz targets, one reader a file."""

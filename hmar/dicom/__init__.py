"""DICOM bytes to frames: what serves reads files by pydicom, and decodes pixels, nowhere else."""

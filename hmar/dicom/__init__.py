"""DICOM bytes to frames. Nothing outside this package touches pydicom or a pixel decoder."""

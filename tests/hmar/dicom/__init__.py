"""Tests of hmar.dicom."""

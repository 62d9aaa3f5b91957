"""``hmar bench gpu``: the scan and the encoder on a GPU, beside the processor of the same machine.

It needs neither FAISS nor DICOM nor a database, so that it runs on a machine with little besides torch, numba
and ONNX Runtime.
"""

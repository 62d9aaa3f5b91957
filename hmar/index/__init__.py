"""What is searched, and how: scan kernels, the window matrix, FAISS, snapshots."""

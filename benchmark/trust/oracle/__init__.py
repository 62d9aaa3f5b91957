"""What must be true of an archive, computed without the product: plain SQL, plain files, plain loops."""

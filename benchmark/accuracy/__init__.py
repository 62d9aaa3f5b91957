"""``hmar bench accuracy``: peers on the same features, bits and split, and what they are measured by."""

"""``hmar bench accuracy``: peers on the same features, bits and split."""

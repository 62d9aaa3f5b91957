"""``hmar bench typicality``: what is marked as unlike the training data, and what should be."""

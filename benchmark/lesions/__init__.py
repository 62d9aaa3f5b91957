"""``hmar bench lesions``: the box of a lesion is to find its other slices, and other people's lesions."""

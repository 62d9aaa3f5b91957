"""Training data: volumes and their sources, views, batches of pairs, labels of images and structures."""

"""Data to train on: volumes, views, batches of pairs, and the labels of images and structures."""

"""The sample study: a real CT with a nodule, fetched from public packages."""

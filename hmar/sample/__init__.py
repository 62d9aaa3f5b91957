"""Open data from public packages: how they are fetched, and the sample study, a real CT with a nodule."""

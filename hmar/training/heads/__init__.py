"""Hash heads in the form that trains: their layers, their initialisation, and folding."""

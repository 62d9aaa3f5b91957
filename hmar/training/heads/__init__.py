"""Hash heads in the form that trains, how they start, and how they fold."""

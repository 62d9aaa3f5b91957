"""Whether judging the first hits of a search improves the rest of it."""

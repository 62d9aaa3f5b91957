"""The product in one command: supervised processes, the greeting, the offer of sample data."""

"""The nouns of the domain: immutable values that every layer may hold."""

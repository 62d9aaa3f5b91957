"""Coverage-guided fuzzing of what reads foreign bytes. Imports nothing that is fuzzed."""

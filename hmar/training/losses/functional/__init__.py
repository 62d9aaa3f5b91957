"""The formulas of losses, on plain tensors: one a file, without data, network or settings."""

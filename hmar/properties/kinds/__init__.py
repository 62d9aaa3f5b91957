"""Kinds of properties, one class each: how a value is read, kept, filtered and described."""

"""The form of a model that serves, without torch."""

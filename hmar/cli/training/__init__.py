"""Commands that make models: ``hmar train``, ``hmar adapt`` and ``hmar export-model``."""

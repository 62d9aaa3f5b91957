"""Our model, trained at image level on cached features."""

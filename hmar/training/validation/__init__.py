"""What held-out slices and patients tell about a training run."""

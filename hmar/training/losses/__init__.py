"""What training minimises: one loss a file, and the objective that adds them up."""

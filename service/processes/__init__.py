"""Several web processes behind one address: what starts them, and what each knows of the others."""

"""What the product needs at a size: measured parts, from which ``hmar size`` computes the rest."""

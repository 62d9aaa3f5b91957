"""What is known of a frame besides its pixels, declared once: the table, and the kinds it is made of."""

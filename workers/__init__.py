"""Workers: what the queue carries is done here."""

"""``make trust``: kills, faults, a full disk, a lost broker, hostile input and load, against oracles."""

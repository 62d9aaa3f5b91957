"""Files that the trials send: synthetic images of every kind, damaged ones, and bombs."""

"""What a search loses and saves where one slice stands for a slab of thin ones."""

"""Labels of structures carried from people who have them to people who have none, by registration."""

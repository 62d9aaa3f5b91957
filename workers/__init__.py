"""The worker: does what the messages of the queue name."""

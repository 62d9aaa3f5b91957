"""The window scan on a graphics card: the same answers as the processor's."""

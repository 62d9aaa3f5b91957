"""Ports as one request sees them: what is in collections that it does not see is not there.

Each asks for the access of the current request at every call, and passes nothing on that it does not name: a
verb that a port gains must be added here before a request can use it.
"""

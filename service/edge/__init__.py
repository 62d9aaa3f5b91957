"""The edge: an ASGI application on uvicorn, between its connections and the WSGI application.

    uvicorn -> guard (connections, deadlines) -> limits -> body (deadline, spooled) -> bounded work -> answer

uvicorn and h11 speak HTTP. :mod:`service.edge.guard` adds the deadlines that they lack, and the rest decides
who is served. ADR 25 says why.
"""

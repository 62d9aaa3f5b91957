"""The edge: sockets to WSGI calls, everything bounded.

    connection -> head (deadline) -> limits -> body (deadline, spooled) -> bounded work -> answer (deadline)

h11 speaks HTTP/1.1, asyncio waits, and threads run the application, which sees whole requests only. ADR 25
says why no ready-made server stands here.
"""

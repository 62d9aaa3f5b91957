"""Indexing: files to catalogue rows, through jobs that survive any crash.

What was asked for is written to the :class:`hmar.ports.JobStore` first and sent to the queue second, so a
message may be lost or come twice: a sweep sends again what has stalled, and handling a message twice
changes nothing. A frame is indexed once per (collection, SOP instance, frame number, model fingerprint), and
what comes under the UID of another image is told apart from it (:mod:`hmar.instances`).
"""

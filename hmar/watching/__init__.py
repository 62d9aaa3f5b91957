"""Following a PACS: what comes to it is indexed, and what it has no more is deleted.

News is taken up to a cursor, which is written after the jobs over it: what dies between the two creates the
same job once more. A sweep compares what both sides have, study by study, and begins where it stopped.
"""

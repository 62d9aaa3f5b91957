"""The DICOM listener: C-ECHO and C-STORE (PS3.4 annexes A and B). What comes goes to the spool, no further.

It opens neither the database nor the secrets, and knows no model: a worker makes index jobs of the spool.
"""

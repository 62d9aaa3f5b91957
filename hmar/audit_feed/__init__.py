"""The audit log for a hospital's audit repository: DICOM audit messages (PS3.15 A.5) by syslog (RFC 5424)."""

"""Adapters: what stands behind the ports (SQL, Celery, an embedded broker, folders, memory)."""

"""The description of the API (OpenAPI 3.1), made of the operations and their models."""

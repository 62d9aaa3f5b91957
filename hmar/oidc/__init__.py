"""Tokens of an identity provider (OpenID Connect): who sent one, and what its roles allow here."""

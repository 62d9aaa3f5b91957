"""The web server: the page, the API, and the rules of both."""

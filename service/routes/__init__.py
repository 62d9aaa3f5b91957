"""The routes of the web server, one file a subject: parse, call, answer."""

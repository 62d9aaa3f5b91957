"""An answer of one part (RFC 2387), as DICOMweb has it for whatever there may be several of."""

from __future__ import annotations

import secrets

from flask import Response

from service.accepting import RELATED, Form


def sent_as(form: Form, content: bytes, transfer_syntax_uid: str) -> Response:
    """Return a content in a form, multipart or by itself.

    Parameters
    ----------
    form : Form
    content : bytes
        Of the part, or of the answer.
    transfer_syntax_uid : str
        Told with the media type of the content.
    """
    inner = form.parts or form.media_type
    told = f"{inner}; transfer-syntax={transfer_syntax_uid}"
    if form.media_type != RELATED:
        return Response(content, content_type=told)
    boundary = secrets.token_hex(16)  # 128 random bits are in no content
    head = f"--{boundary}\r\nContent-Type: {told}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    # In pieces: a file of a gigabyte is not copied.
    answer = Response([head, content, tail], content_type=f"{form}; boundary={boundary}")
    answer.content_length = len(head) + len(content) + len(tail)
    return answer

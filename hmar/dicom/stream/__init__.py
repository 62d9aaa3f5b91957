"""What a compressed frame says of itself in its own header, read without decoding it.

A decoder believes the stream, a viewer the data set; where the two differ, values are wrong or memory is
overwritten. So both are read, and compared, before a decoder sees the frame.
"""

from hmar.dicom.stream.header import Colour, Kind, StreamHeader
from hmar.dicom.stream.read import read_stream_header

__all__ = ["Colour", "Kind", "StreamHeader", "read_stream_header"]

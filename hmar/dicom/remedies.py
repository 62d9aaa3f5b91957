"""What to do about a file that is refused."""

SEND_AGAIN = "Send the instance again from its source."
CHECK_COMPLETE = "Check that the file is complete, and send it again."

"""A patient id is asked for, and never on the command line: it would stay in the shell's history."""

from __future__ import annotations

import sys

import click


def asked_patient_id() -> str:
    """Return a patient id from the terminal, or the first line of standard input where that is none."""
    if sys.stdin.isatty():
        answer: str = click.prompt("Patient id", err=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")

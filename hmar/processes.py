"""Child processes that are restarted when they crash, and that on Linux never outlive their parent.

honcho is not used because it stops all processes when one ends, and supervisord because its children go on
running when it is killed itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_S = 60.0
"""A child that lived this long has recovered: its next crash counts as the first."""

# The kernel kills the child when its parent dies, however it dies: no handler of ours runs under SIGKILL.
# It is asked for by a small program that then becomes the child (prctl(2): PR_SET_PDEATHSIG survives execve),
# since code run between fork and exec in a process with threads may dead-lock. The parent may be gone before
# prctl is reached, hence the comparison. Other systems than Linux have no such call: there a killed
# supervisor leaves its children, and the next one says that their port is in use.
_LAUNCH = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Child:
    """One child process; start it from the main thread only.

    PR_SET_PDEATHSIG watches the thread that started the child, not the process.

    Parameters
    ----------
    name : str
        For the log, and before each line of its output.
    command : sequence of str
        Program and arguments.
    environment : mapping of str to str
        Its whole environment.
    say : callable
        Takes a name and a line of output.
    stdin : str
        Given on its standard input.
    clock : callable
        Returns seconds that only grow. It tells how long the process lived and when its pause is over.
    descriptors : sequence of int
        Open files that it gets under the same numbers.
    own_errors : bool
        Whether its standard error is that of this process; else it is told with its output.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[str, str], None],
        stdin: str = "",
        clock: Callable[[], float] = time.monotonic,
        descriptors: Sequence[int] = (),
        own_errors: bool = False,
    ) -> None:
        self.name = name
        self.failures = 0
        self._command = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command]
        self._environment = dict(environment)
        self._stdin = stdin
        self._say = say
        self._clock = clock
        self._descriptors = tuple(descriptors)
        self._errors = None if own_errors else subprocess.STDOUT
        self._process: subprocess.Popen[str] | None = None
        self._started = 0.0
        self._restart_at: float | None = None

    def start(self) -> None:
        """Start the process in a group of its own: Ctrl-C in the terminal reaches the parent alone."""
        self._restart_at = None
        self._started = self._clock()
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            errors="replace",
            process_group=0,
            pass_fds=self._descriptors,
        )
        threading.Thread(target=self._pump, args=(self._process,), daemon=True).start()
        self._feed(self._process)

    def tend(self) -> None:
        """Note a crash and start the process again when its pause is over; call this often."""
        now = self._clock()
        if self._restart_at is not None:
            if now >= self._restart_at:
                self.start()
        elif self._process is not None and self._process.poll() is not None:
            self.failures = 1 if now - self._started > STEADY_S else self.failures + 1
            pause_s = BACKOFF_S[min(self.failures, len(BACKOFF_S)) - 1]
            self._restart_at = now + pause_s
            how = _ending(self._process.returncode)
            self._say("hmar", f"{self.name} {how}; it is started again in {pause_s:.0f} s")

    def terminate(self) -> None:
        """Send SIGTERM, and start the process no more."""
        self._restart_at = None
        if self._process is not None:
            self._process.terminate()

    def stop(self, grace_s: float, hurry: Callable[[], bool]) -> None:
        """End the process: SIGTERM, then SIGKILL after ``grace_s`` seconds or as soon as ``hurry()``."""
        self.terminate()
        self.await_end(grace_s, hurry)

    def await_end(self, grace_s: float, hurry: Callable[[], bool]) -> None:
        """Wait for the end of a process that was sent SIGTERM, which is as for :meth:`stop`."""
        process = self._process
        if process is None:
            return
        end = time.monotonic() + grace_s
        while process.poll() is None and time.monotonic() < end and not hurry():
            time.sleep(0.05)
        if process.poll() is None:
            process.kill()
            process.wait()

    def _feed(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is None:
            return
        try:
            process.stdin.write(self._stdin)
            process.stdin.close()
        except BrokenPipeError:
            # It died at once; tend() notices.
            return

    def _pump(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if line.strip():
                self._say(self.name, line.rstrip())
        if process.stdout is not None:
            process.stdout.close()


def _ending(status: int) -> str:
    if status < 0:
        known = {number.value: number.name for number in signal.Signals}
        return f"was killed by {known.get(-status, f'signal {-status}')}"
    return f"ended with status {status}"

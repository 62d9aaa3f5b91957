"""Bytes to frames, whatever the format: the one door through which images enter.

A file may be damaged, or made to do harm, and the libraries that decode pixels are written in C. So files are
decoded in child processes: whatever a file does there is one DecodeError here.

::

    contained.ContainedDecoder    opens a file; what the product uses
      pool.Pool                   lends the children to threads, first come, first served
        process.Child             one child: ask, time limit, how it ended
        launcher.ForkServer       starts children
          messages.Channel        JSON headers on a socket, files and pixels in shared memory
    - - - - - - - - - - - - - - - the border: what comes back is checked by answers.py
          fork_server (forking)   the program that imports the decoders once, and forks a child when asked
            restraint             limits of memory, time, files
            child.serve           answers requests
              in_process.ImageDecoder

Nothing above the border imports pydicom. ``in_process`` is also for those who trust their files: the
benchmarks.
"""

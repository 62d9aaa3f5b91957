"""``python -m hmar.cli``: the same as ``hmar``."""

from hmar.cli import main

if __name__ == "__main__":
    main(prog_name="hmar")

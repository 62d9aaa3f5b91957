"""``python -m benchmark.trust``: the same as ``hmar bench trust``."""

from benchmark.cli.trust import trust

if __name__ == "__main__":
    trust(prog_name="python -m benchmark.trust")

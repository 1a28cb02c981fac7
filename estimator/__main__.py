"""`python -m estimator`: the command line where the script is not on the path."""

from estimator.cli import entry

if __name__ == "__main__":
    entry()

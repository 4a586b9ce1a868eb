"""``python -m srbench`` is the command ``srbench``."""

import sys


def main() -> None:
    """Load the command and run it; Ctrl-C while it is loaded ends it without a traceback."""
    try:
        from srbench.cli.main import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()

"""``python -m srbench`` is the command ``srbench``."""

from srbench.cli.main import main

main()

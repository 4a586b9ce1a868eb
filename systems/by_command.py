"""Systems that need an environment of their own: the command that runs each, for ``srbench run --command``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from srbench_systems.system import System, need

from srbench.audio import Rate, Samples

SCRIPT = Path(__file__).parent / "scripts" / "in_its_environment.py"


class ByCommand(System):
    """A system that is not run in this process: asked for by name, it says the command.

    ``PYTHON`` in it stands for the interpreter of the system's environment.
    """

    name: ClassVar[str]
    arguments: ClassVar[str] = ""  # after the system, the folder of inputs and that of outputs

    def __init__(self) -> None:
        need(self.state())

    @classmethod
    def command(cls) -> str:
        """Return the whole command line."""
        line = f"PYTHON {SCRIPT} {cls.name} {{in}} {{out}} {cls.arguments}".strip()
        return f"srbench run --command '{cls.name}={line}'"

    @classmethod
    def state(cls) -> str:
        """Return the command line."""
        return f"runs in its own environment: {cls.command()}"

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Do nothing: such a system is never built."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return the card and the command."""
        return {**super().describe(), "command": self.command()}

"""A command that takes part in a run: any program, in any language and environment, from files to files.

It is started once for many files (``{in}``, ``{out}``: two folders) or for each (``{in_file}``, ``{out_file}``), by
its argument list and never through a shell. What it writes is held to the contract of upscalers.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srbench.audio import Samples
from srbench.corpora.by_id import files_by_id, match
from srbench.corpora.corpus import Utterance, file_digest
from srbench.errors import SrbenchError, UpscalerError, shown
from srbench.names import check_name
from srbench.protocols import Prepared, Protocol
from srbench.run.elsewhere import EstimateFile, read_estimate
from srbench.run.entrant import Entrant
from srbench.run.inputs import FORMATS, write_low
from srbench.run.manifest import COMMAND, Provenance, tell_of
from srbench.run.program import Ended, Programs

COMMAND_LINE = "command line"  # in the place of a distribution
TOGETHER = 100  # utterances for one start of a program that takes folders
_FOLDERS, _FILES = ("{in}", "{out}"), ("{in_file}", "{out_file}")
_LARGEST_HASHED = 1 << 32  # bytes


@dataclass(frozen=True)
class Command(Entrant):
    """A program; see `parsed`.

    Attributes
    ----------
    arguments : tuple of str
        The program and what follows it, with the places for folders, files and numbers still in it.
    pattern : str or None
        How the files that it writes are named (`srbench.corpora.by_id.files_by_id`).
    input_format : str
        Of the files that it is given; one of `srbench.run.inputs.FORMATS`.
    working : Path or None
        The folder in which it starts; None for one made for each start, and empty.
    """

    arguments: tuple[str, ...] = ()
    pattern: str | None = None
    input_format: str = "float"
    working: Path | None = None

    @property
    def per_file(self) -> bool:
        """Whether it takes one file."""
        return any(place in each for each in self.arguments for place in _FILES)

    def provenance(self, protocol: Protocol) -> Provenance:
        """Return the argument list, where it starts, and the digests of the files that it names.

        Raises
        ------
        SrbenchError
            If there is no such program.
        """
        check_name("a model's name", self.name)
        program, start = self.arguments[0], self._start
        if not (start / program).is_file() and shutil.which(program) is None:
            raise SrbenchError(f"{self.name}: there is no program {shown(program)!r} here")
        digests = {
            each: file_digest(start / each)
            for each in self.arguments
            if (start / each).is_file() and (start / each).stat().st_size <= _LARGEST_HASHED
        }
        told = {
            "name": self.name,
            "kind": COMMAND,
            "distribution": COMMAND_LINE,
            "command": list(self.arguments),
            "files": digests,
            "working_folder": str(self.working) if self.working else "a fresh one for each start",
            "environment": "that of srbench",
            "input_format": self.input_format,
            **({"pattern": self.pattern} if self.pattern else {}),
        }
        return tell_of(self.name, told)

    @property
    def _start(self) -> Path:
        """The folder from which relative paths among the arguments are meant."""
        return self.working or Path.cwd()

    def _meant(self, argument: str, program: bool) -> str:
        """Return an argument that names a file with its whole path, because it starts in another folder."""
        path = self._start / argument
        is_path = "/" in argument or path.suffix or (program and shutil.which(argument) is None)
        return str(path.absolute()) if is_path and path.exists() else argument

    def takes_batches(self) -> bool:
        """Tell whether one start takes several utterances."""
        return not self.per_file

    def make_ready(self) -> None:
        """Do nothing: it is started for its utterances."""

    def close(self) -> None:
        """Do nothing: whoever starts it ends it."""

    def estimate(
        self,
        prepared: Prepared,
        protocol: Protocol,
        seed: int = 0,
        seconds: float | None = None,
        *,
        utterance_id: str = "",
    ) -> tuple[Samples, float | None]:
        """Return what it makes of one utterance alone."""
        with tempfile.TemporaryDirectory(prefix="srbench-") as folder:
            place = Path(folder)
            write_low(prepared.low, protocol.low_rate, place / "in", utterance_id, self.input_format)
            ended = self.start(Programs(), place, [utterance_id], protocol, seed, seconds)
            if ended.why:
                raise UpscalerError(self.failed(ended))
            file = self.written(place / "out", [utterance_id]).get(utterance_id)
            if file is None:
                raise UpscalerError(self.failed(ended, "wrote no file of it"))
            return read_estimate(EstimateFile(file, ""), protocol.high_rate, len(prepared.reference)), ended.seconds

    def start(
        self,
        programs: Programs,
        place: Path,
        ids: Sequence[str],
        protocol: Protocol,
        seed: int,
        seconds: float | None,
    ) -> Ended:
        """Start it once, on what lies in ``place/in``, and wait for its end.

        Parameters
        ----------
        programs : Programs
        place : Path
            Gets the folders ``out`` and ``work``, and the file ``log``.
        ids : sequence of str
            Of the utterances that are there.
        protocol : Protocol
        seed : int
        seconds : float or None
            That it may take.
        """
        inputs, out, work = (place.absolute() / each for each in ("in", "out", "work"))
        suffix = FORMATS[self.input_format].suffix
        for folder in (out, work, *((out / each).parent for each in ids)):
            folder.mkdir(parents=True, exist_ok=True)
        values = {
            "{in}": inputs,
            "{out}": out,
            "{in_file}": f"{inputs / ids[0]}{suffix}",
            "{out_file}": f"{out / ids[0]}.wav",
            "{low_rate}": protocol.low_rate,
            "{high_rate}": protocol.high_rate,
            "{seed}": seed,
        }
        arguments = [_filled(self._meant(each, not number), values) for number, each in enumerate(self.arguments)]
        return programs.run(arguments, self.working or work, place / "log", seconds)

    def written(self, out: Path, ids: Sequence[str]) -> dict[str, Path]:
        """Return the files that a start left in its folder ``out``, by utterance."""
        try:
            found = files_by_id(out, self.pattern)
        except SrbenchError:  # there is none
            return {}
        return {key: each.path for key, each in match({each: Utterance(each, "", "") for each in ids}, found).items()}

    def failed(self, ended: Ended, why: str = "") -> str:
        """Return in one text what went wrong, and the end of what the program printed."""
        printed = f"; it printed: {ended.tail}" if ended.tail else "; it printed nothing"
        return f"{self.name}: its program {why or ended.why}{printed}"


def parsed(name: str, line: str, **more: Any) -> Command:
    """Return a command as an entrant.

    Parameters
    ----------
    name : str
        Of the model that it runs.
    line : str
        The command as it is typed: cut into arguments as a shell cuts, and not given to one.
    **more
        Fields of `Command`.

    Raises
    ------
    SrbenchError
        If it cannot be cut, or has not the two places for what it reads and writes.
    """
    try:
        arguments = tuple(shlex.split(line, posix=os.name != "nt"))
    except ValueError as error:
        raise SrbenchError(f"--command {name}: cannot be read: {error}") from error
    if not arguments:
        raise SrbenchError(f"--command {name}: names no program")
    told = " ".join(arguments)
    folders, files = ([place in told for place in places] for places in (_FOLDERS, _FILES))
    if any(folders) == any(files) or not (all(folders) or all(files)):
        raise SrbenchError(
            f"--command {name}: must have {' and '.join(_FOLDERS)} (folders), or {' and '.join(_FILES)}: "
            f"--command '{name}=infer.py --in {{in}} --out {{out}}'"
        )
    if more.get("working") is not None and not more["working"].is_dir():
        raise SrbenchError(f"--cwd {more['working']}: no such folder")
    return Command(name, arguments=arguments, **more)


def _filled(argument: str, values: Mapping[str, object]) -> str:
    for place, value in values.items():
        argument = argument.replace(place, str(value))
    return argument

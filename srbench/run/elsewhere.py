"""Estimates that were made elsewhere: a folder of files takes part in a run like an upscaler, by the same contract.

Files are found by the ids of utterances, by the rules of ``srbench score``. Nothing is cut, padded or resampled: what
does not fit fails, with what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srbench import audio
from srbench.audio import Samples
from srbench.corpora.by_id import files_by_id, match
from srbench.corpora.corpus import Utterance, file_below, file_digest
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError, UpscalerError, shown
from srbench.names import check_name
from srbench.protocols import Prepared, Protocol
from srbench.run.entrant import Entrant
from srbench.run.manifest import ESTIMATES, Provenance, tell_of
from srbench.run.plan import Plan

MADE_ELSEWHERE = "made elsewhere"  # in the place of a distribution


@dataclass(frozen=True)
class EstimateFile:
    """A file with an estimate, and the SHA-256 of its bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class MadeElsewhere(Entrant):
    """A folder of estimates; see `found_in`.

    Attributes
    ----------
    folder : Path
    pattern : str or None
        How its files are named (`srbench.corpora.by_id.files_by_id`).
    files : mapping of utterance to EstimateFile
    strange : tuple of str
        Files that are of no utterance.
    """

    folder: Path = Path()
    pattern: str | None = None
    files: Mapping[str, EstimateFile] = field(default_factory=dict, hash=False, repr=False)
    strange: tuple[str, ...] = ()

    @property
    def makes(self) -> bool:
        """Nothing is made, and so nothing is worth to be kept."""
        return False

    def provenance(self, protocol: Protocol) -> Provenance:
        """Return that it was made elsewhere, and the digest of the files."""
        check_name("a model's name", self.name)
        lines = [f"{utterance} {file.sha256}" for utterance, file in sorted(self.files.items())]
        told = {"name": self.name, "kind": ESTIMATES, "distribution": MADE_ELSEWHERE, "files": len(lines)}
        told |= {"estimates_sha256": checksum(lines)} | ({"pattern": self.pattern} if self.pattern else {})
        return tell_of(self.name, told)

    def takes_batches(self) -> bool:
        """Tell that nothing goes through it."""
        return False

    def make_ready(self) -> None:
        """Do nothing: there is no process."""

    def close(self) -> None:
        """Do nothing: there is no process."""

    def warnings(self, plan: Plan, provenance: Provenance) -> list[str]:
        """Return which utterances have no file, which files are of no utterance, and what a sample format may cost."""
        missing = [each.id for each in plan.utterances if each.id not in self.files]
        told = []
        if missing:
            told.append(f"no estimate of {len(missing)} of {len(plan.utterances)} utterances, the first {missing[0]}")
        if self.strange:
            told.append(f"{len(self.strange)} files are of no utterance, the first {shown(self.strange[0])}")
        return [*told, *_coarse(list(self.files.values()))]

    def estimate(
        self,
        prepared: Prepared,
        protocol: Protocol,
        seed: int = 0,
        seconds: float | None = None,
        *,
        utterance_id: str = "",
    ) -> tuple[Samples, float | None]:
        """Return what the file of an utterance holds; see `read_estimate` for what it raises."""
        file = self.files.get(utterance_id)
        if file is None:
            raise UpscalerError(f"there is no estimate of it in {self.folder}")
        return read_estimate(file, protocol.high_rate, len(prepared.reference)), None


def found_in(name: str, folder: str | Path, known: Mapping[str, object], pattern: str | None = None) -> MadeElsewhere:
    """Return a folder of estimates as an entrant: its files by the ids of utterances.

    Parameters
    ----------
    name : str
        Of the model that made them.
    folder : path
    known : mapping whose keys are ids
        Of all utterances that there are, also of those that are not scored.
    pattern : str, optional

    Raises
    ------
    SrbenchError
        If there is no such folder, no file in it is of an utterance, or two files claim one id.
    """
    folder = Path(folder).absolute()
    if not folder.is_dir():
        raise SrbenchError(f"{name}: {folder} {'is not a folder' if folder.exists() else 'does not exist'}")
    here = files_by_id(folder, pattern)
    matched = match({each: Utterance(each, "", "") for each in known}, here)
    if not matched:
        raise SrbenchError(
            f"{name}: no file of {folder} has the id of an utterance: '{next(iter(here))}' there, "
            f"'{next(iter(known), '')}' in the corpus. --pattern says how they are named, e.g. '{{id}}_up.wav'"
        )
    own = {each.path for each in matched.values()}
    strange = tuple(file_below(each.path, folder) for each in here.values() if each.path not in own)
    files = {key: EstimateFile(each.path, file_digest(each.path)) for key, each in matched.items()}
    return MadeElsewhere(name, folder=folder, pattern=pattern, files=files, strange=strange)


def read_estimate(file: EstimateFile, high_rate: int, samples: int) -> Samples:
    """Return what a file holds, if that is what an upscaler must return.

    Parameters
    ----------
    file : EstimateFile
        Without a digest it may hold anything.
    high_rate : int, in Hz
    samples : int
        That it must have.

    Raises
    ------
    UpscalerError
        If it cannot be read, has another rate or length or several channels, is not finite, or is another file now.
    """
    path = file.path
    if file.sha256 and file_digest(path) != file.sha256:
        raise UpscalerError(f"{path.name}: was changed, or is gone, since the run began")
    try:
        found, rate = audio.read_channels(path)
    except SrbenchError as error:
        raise UpscalerError(str(error)) from error
    if rate != high_rate:
        raise UpscalerError(f"{path.name}: is at {rate} Hz, the protocol's rate is {high_rate} Hz")
    if found.shape[1] != 1:
        raise UpscalerError(f"{path.name}: has {audio.channels_told(found)}, an estimate has one")
    if len(found) != samples:
        raise UpscalerError(f"{path.name}: has {len(found)} samples, the reference has {samples}")
    one = audio.one_channel(found)
    if what := audio.damage(one):
        raise UpscalerError(f"{path.name}: holds {what}")
    return one


def _coarse(files: list[EstimateFile]) -> list[str]:
    """Say how many of some files are of integers of 16 bits or fewer: their steps are noise where speech has none."""
    coarse = 0
    for file in files:
        try:
            coarse += audio.info(file.path).subtype in ("PCM_16", "PCM_S8", "PCM_U8", "ULAW", "ALAW")
        except SrbenchError:  # its row will say so
            continue
    if not coarse:
        return []
    return [f"16-bit: {coarse} of {len(files)} files hold 16 bits or fewer: LSD may differ by 0.1 from that of floats"]

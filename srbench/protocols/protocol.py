"""The protocol: all that must be equal for two numbers to be comparable, as one frozen value from one TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from srbench import degradation, metrics, toml
from srbench.audio import HIGHEST_RATE, RESAMPLER, Rate, check_channels, parse_rate
from srbench.corpora import Split, load_split
from srbench.degradation import Degradation
from srbench.errors import SrbenchError, shown
from srbench.metrics import Definition
from srbench.names import check_name
from srbench.signature import Signature, value_text

VERSION = 1
_MOST_TRIM = 400  # dB: double precision has no more
_NO_TRIM, _NO_LEVEL = "none", "none"
ALL = "all"  # every recording of a corpus, in the place of a split and of a side


@dataclass(frozen=True)
class Protocol:
    """A named protocol.

    Attributes
    ----------
    name, title, source : str
        ``source`` says whose experiment it follows and where it departs from it.
    corpus : str
        The corpus and its revision, as `srbench.corpora.Corpus.name` calls it.
    split : str
        A split's name, a path relative to the protocol's file, or ``all``: every recording of the corpus.
    side : str
        The side of the split that is scored; ``all`` where the split is.
    low_rate : int or Fraction, in Hz
        In the file, a whole number or a text like "16000/6".
    high_rate : int, in Hz
    degradation : Degradation
    metrics : tuple of str
    trim_top_db : float or None
        Cut leading and trailing parts this far below the loudest frame (`librosa.effects.trim`).
    channels : str or None
        What is taken of recordings with several channels (`srbench.audio.one_channel`); without it they are refused.
    level : {"none", "peak"}
        ``peak`` divides each reference by its greatest absolute sample.
    cite : str
        The BibTeX key of the paper whose experiment it is, "" for none.
    folder : Path
        Where its file stands.
    """

    name: str
    title: str
    corpus: str
    split: str
    side: str
    low_rate: Rate
    high_rate: int
    degradation: Degradation
    metrics: tuple[str, ...]
    folder: Path
    source: str = ""
    trim_top_db: float | None = None
    level: str = _NO_LEVEL
    channels: str | None = None
    cite: str = ""

    @property
    def cutoff(self) -> float:
        """Half the low rate, in Hz."""
        return float(self.low_rate) / 2

    def load_split(self) -> Split:
        """Return the protocol's split; where it is every recording of the corpus, one without sides."""
        if self.split == ALL:
            return Split(ALL, self.corpus, "", "", {})
        return load_split(self.folder / self.split if self.split.endswith(".toml") else self.split)

    def define_metrics(self, names: tuple[str, ...] | None = None) -> dict[str, Definition]:
        """Fix the protocol's metrics (or the named ones) at its rate and cutoff."""
        return metrics.define(names if names is not None else self.metrics, self.high_rate, self.cutoff)

    def signature(self, corpus: str | None = None, split: str | None = None) -> Signature:
        """Return the signature; of the protocol's own corpus and split unless others are named.

        Parameters
        ----------
        corpus : str, optional
        split : str, optional
            As ``name.side.checksum``, the first 8 hex digits of it.
        """
        if split is None and self.split == ALL:
            split = ALL  # which recordings those are only a run can say
        elif split is None:
            own = self.load_split()
            split = f"{own.name}.{self.side}.{own.checksum(self.side)[:8]}"
        made = self.degradation.signature(self.high_rate, self.low_rate)
        fields = (
            ("corpus", corpus or self.corpus),
            ("split", split),
            ("low", str(self.low_rate)),
            ("high", str(self.high_rate)),
            ("resample", RESAMPLER),
            ("trim", "none" if self.trim_top_db is None else f"top{value_text(self.trim_top_db)}dB"),
            ("level", self.level),
            *((("channels", self.channels),) if self.channels else ()),
            ("crop", "whole-low-samples"),
            *(("degradation" if key == "kind" else key, value) for key, value in made.fields),
            ("precision", "float64"),
            ("v", str(VERSION)),
        )
        return Signature("PROTOCOL", fields)


def protocol_names() -> list[str]:
    """List the protocols that come with srbench."""
    return toml.names(_folder())


def load_protocol(name: str | Path) -> Protocol:
    """Load a protocol by name, or a user's own by the path of its TOML file.

    Raises
    ------
    SrbenchError
        If there is none, or the file is not a valid protocol: with the place, the key and the nearest right word.
    """
    path = toml.find("protocol", name, _folder())
    return _from_table(_whole_table(path), path)


def _whole_table(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return what a file says, over what the protocol says that it extends.

    Parameters
    ----------
    path : Path
    below : tuple of Path
        The files that extend it.
    """
    table, where = toml.read(path), f"protocol {path}"
    base = table.pop("extends", None)
    if table.get("split") == ALL:
        table.setdefault("side", ALL)
    if base is None:
        return table
    if not isinstance(base, str):
        raise SrbenchError(f"{where}: extends must be the name of a protocol, or a file beside this one")
    own_file = toml.beside(path, base, where) if base.endswith(".toml") else toml.find("protocol", base, _folder())
    if own_file in (path, *below):
        raise SrbenchError(f"{where}: extends itself, by way of {own_file.name}")
    extended = _whole_table(own_file, (path, *below))
    split = extended.get("split")
    if isinstance(split, str) and split.endswith(".toml"):
        extended["split"] = (own_file.parent / split).relative_to(path.parent).as_posix()
    return {**extended, **table}


def _from_table(table: dict[str, Any], path: Path) -> Protocol:
    where = f"protocol {path.name if path.parent == _folder() else path}"
    check_name(f"{where}: a protocol's name", path.stem)  # it names folders and files
    toml.check_keys(
        table,
        where,
        required={
            "title": str,
            "corpus": str,
            "split": str,
            "side": str,
            "low_rate": (int, str),
            "high_rate": int,
            "metrics": list,
            "degradation": dict,
        },
        optional={"source": str, "trim_top_db": float, "level": str, "channels": str, "cite": str},
    )
    if table["split"].endswith(".toml"):
        toml.beside(path, table["split"], where)
    names = table["metrics"]
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise SrbenchError(f"{where}: metrics must be a list of different names")
    low_rate = _rate(table["low_rate"], where)
    if table["high_rate"] > HIGHEST_RATE:
        raise SrbenchError(f"{where}: high_rate must be at most {HIGHEST_RATE}")
    if not 0 < low_rate < table["high_rate"]:
        raise SrbenchError(f"{where}: low_rate must be above 0 and below high_rate")
    if table.get("level", _NO_LEVEL) not in (_NO_LEVEL, "peak"):
        raise SrbenchError(f"{where}: level must be none or peak, not '{table['level']}'")
    if not 0 < table.get("trim_top_db", 1.0) <= _MOST_TRIM:
        raise SrbenchError(f"{where}: trim_top_db must be above 0 and at most {_MOST_TRIM}")
    try:
        check_channels(table.get("channels"))
        made = degradation.from_table(table["degradation"])
        for metric in names:
            metrics.get_metric(metric)
        rest = {key: value for key, value in table.items() if key not in ("low_rate", "metrics", "degradation")}
        protocol = Protocol(
            path.stem, low_rate=low_rate, degradation=made, metrics=tuple(names), folder=path.parent, **rest
        )
        if (protocol.split == ALL) != (protocol.side == ALL):
            raise SrbenchError('split = "all" has no other side than "all", and that side no other split')
        protocol.signature()
        if protocol.load_split().corpus != protocol.corpus:
            raise SrbenchError(
                f"split {protocol.split} is of corpus {protocol.load_split().corpus}, not {protocol.corpus}"
            )
    except SrbenchError as error:
        raise SrbenchError(f"{where}: {error}") from error
    return protocol


def _rate(value: int | str, where: str) -> Rate:
    try:
        return parse_rate(str(value))
    except ValueError as error:
        raise SrbenchError(
            f'{where}: low_rate must be a number of Hz or a text like "16000/6", not {shown(repr(value))}'
        ) from error


def _folder() -> Path:
    return Path(str(resources.files("srbench.protocols"))) / "named"

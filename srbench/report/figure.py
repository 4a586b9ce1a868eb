"""What all figures share: the optional packages, whom they show, how they look, how they are written."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import Utterance
from srbench.errors import SrbenchError
from srbench.extras import missing_package
from srbench.files import beside
from srbench.protocols import ALL, Protocol, prepare
from srbench.run import Entrant, Plan
from srbench.run.engine import SEED
from srbench.run.pipeline import seed_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
LOW, REFERENCE = "low resolution", "reference"
# what matplotlib would write of the day and of itself; left out, the same input gives the same bytes
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "figure.titlesize": 10,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # fonts that editors of PDF can read
    "svg.hashsalt": "srbench",
    "text.parse_math": False,  # a dollar in a name is a dollar
}
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = "osD^vPX*"


def require_plots() -> None:
    """Raise SrbenchError, with the way to install them, where matplotlib or seaborn is absent."""
    for name in ("matplotlib", "seaborn"):
        if find_spec(name) is None:
            raise missing_package("a figure", ModuleNotFoundError(name=name), extra="plots")


def check_target(path: str | Path) -> None:
    """Raise SrbenchError if a figure cannot be written there: another ending, or no such folder."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise SrbenchError(f"{path}: a figure's file ends in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise SrbenchError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise SrbenchError(f"{path}: is a folder")


@contextmanager
def style() -> Iterator[None]:
    """Draw in the figures' own style, whatever the caller's; the caller's is as before afterwards."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def save(figure: Figure, path: str | Path, dpi: int = 150) -> None:
    """Write a figure as PNG, SVG or PDF, by the file's ending; it appears when it is whole.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path
    dpi : int
        Pixels an inch, of a PNG file.

    Raises
    ------
    SrbenchError
        See `check_target`.
    OSError
        If it cannot be written.
    """
    check_target(path)
    kind = Path(path).suffix.lower()
    drawn = io.BytesIO()
    with style():
        figure.savefig(drawn, format=kind[1:], dpi=dpi, metadata=_METADATA[kind])
    with beside(path) as unfinished:
        unfinished.write_bytes(drawn.getvalue())


@dataclass(frozen=True)
class Look:
    """How one upscaler's line or points are drawn: told apart by colour, and without it by dashes and marker."""

    color: Any
    dashes: Any
    marker: str
    width: float = 1.3


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return a look for each name; the reference is a black line, the low-resolution signal a broad grey one."""
    import seaborn

    palette = seaborn.color_palette("colorblind")
    palette = [palette[i] for i in (0, 1, 2, 3, 4, 5, 6, 9)]  # without its grey, and its yellow, too light on paper
    found = {LOW: Look("0.75", "solid", "", 5.0), REFERENCE: Look("black", "solid", "", 2.0)}
    upscalers = [name for name in names if name not in found]
    for i, name in enumerate(upscalers):
        found[name] = Look(palette[i % len(palette)], _DASHES[i % len(_DASHES)], _MARKERS[i % len(_MARKERS)])
    return found


def draw_cutoff(axis: Axes, cutoff: float, *, upwards: bool = False, color: str = "0.3") -> None:
    """Draw the cutoff, in Hz, on an axis in kHz: a line across it, or upwards where frequency goes to the right."""
    line = axis.axvline if upwards else axis.axhline
    line(cutoff / 1000, color=color, linewidth=0.8, linestyle=(0, (4, 3)), label=f"cutoff {cutoff / 1000:g} kHz")


class Upscaled(NamedTuple):
    """One utterance as every upscaler makes it; ``low`` is at the protocol's low rate, the others at its high rate."""

    utterance: Utterance
    reference: Samples
    low: Samples
    estimates: dict[str, Samples]


def entrants_by_name(entrants: Sequence[Entrant], protocol: Protocol) -> dict[str, Entrant]:
    """Return the entrants by the names that figures show; in full where two would be called alike.

    Raises
    ------
    SrbenchError
        If one is unknown, cannot be built, or does not support the protocol's rates.
    """
    told = [entrant.provenance(protocol).name for entrant in entrants]
    full = [entrant.name if told.count(name) > 1 else name for name, entrant in zip(told, entrants, strict=True)]
    shown = [f"upscaler {name}" if name in (LOW, REFERENCE) else name for name in full]
    return dict(zip(shown, entrants, strict=True))


def find_utterance(plan: Plan, identity: str | None) -> Utterance:
    """Return an utterance of a plan by its id, the first without one.

    Raises
    ------
    SrbenchError
        If there is none, with the nearest id.
    """
    if identity is None:
        return plan.utterances[0]
    known = {utterance.id: utterance for utterance in plan.utterances}
    if identity not in known:  # a list of all would be thousands of lines
        near = difflib.get_close_matches(identity, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        way = "" if plan.side == ALL else " --split all takes every file of the corpus."
        raise SrbenchError(
            f"utterance '{identity}' is not among the {len(known)} of {plan.protocol.name}, such as "
            f"{plan.utterances[0].id}.{hint}{way}"
        )
    return known[identity]


def upscale_utterance(utterance: Utterance, entrants: Mapping[str, Entrant], protocol: Protocol) -> Upscaled:
    """Prepare an utterance and upscale it by everyone, with the random seed of a run.

    Parameters
    ----------
    utterance : Utterance
    entrants : mapping of shown name to Entrant
        From `entrants_by_name`.
    protocol : Protocol

    Raises
    ------
    SrbenchError
        If the recording cannot be used, or an upscaler fails.
    """
    prepared = prepare(*audio.read(utterance.path, protocol.channels), protocol)
    estimates = {}
    for name, entrant in entrants.items():
        estimates[name], _ = entrant.estimate(prepared, protocol, seed_of(SEED, utterance.id))
    return Upscaled(utterance, *prepared, estimates)


def subject(plan: Plan, n: int) -> str:
    """Say what a mean over ``n`` utterances was taken over: the protocol, the corpus if it is another, how many."""
    protocol = plan.protocol
    corpus = "" if plan.corpus.name == protocol.corpus else f" on {plan.corpus.name}"
    side = "" if plan.own or corpus else f", side {plan.side}"
    count = f"{n} utterances" if n == plan.expected else f"{n} of {plan.expected} utterances"
    return f"{protocol.name}{corpus}{side}, mean over {count}"

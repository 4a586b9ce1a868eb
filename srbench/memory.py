"""Memory: how much an utterance needs, and how much there is; known before it is read, so that one costs no others."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from srbench.audio import info
from srbench.errors import SrbenchError

# Copies of a signal that are held at once, measured on 5 to 10 minutes of noise at 16 and 48 kHz: of what was read, and
# at the rate of the reference. STOI holds six more, looking at a pair up to four.
_READ, _HIGH, _STOI = 2.0, 6.0, 6.0
SCORE = 4.0
_SMALL = 1_000_000  # bytes of a file; not worth asking what there is
_GROUPS = Path("/sys/fs/cgroup")


def need(count: int, rate: int, high_rate: int, metrics: Collection[str] = (), more: float = 0.0) -> float:
    """Return about how many bytes it takes to evaluate a recording, without what the upscaler itself takes.

    Parameters
    ----------
    count : int
        Samples, of all channels.
    rate, high_rate : int, in Hz
        Of the recording, and of the reference that is made of it.
    metrics : collection of str
    more : float
        Copies at the rate of the reference that are held besides; `SCORE` where a pair is scored.
    """
    high = _HIGH + more + (_STOI if {"stoi", "estoi"} & set(metrics) else 0.0)
    return 8.0 * count * (_READ + high * min(1.0, high_rate / rate))


def check_file(path: str | Path, high_rate: int, metrics: Collection[str] = (), more: float = 0.0) -> None:
    """Raise SrbenchError, with both numbers, if there is not enough memory to evaluate a recording; see `need`.

    Raises
    ------
    SrbenchError
        Also if the file is missing or is not audio.
    """
    try:
        if Path(path).stat().st_size < _SMALL:  # most recordings; their headers need not be read twice
            return
    except OSError:
        return  # whoever reads it will say so
    header = info(path)
    needed = need(header.frames * header.channels, header.sample_rate, high_rate, metrics, more)
    there = available()
    if there is not None and needed > there:
        raise SrbenchError(
            f"{path}: needs about {needed / 1e9:.1f} GB of memory, {there / 1e9:.1f} GB are available: cut it into "
            "parts, or use fewer workers"
        )


def available() -> float | None:
    """Return how many bytes this process can still take; None where the system does not say."""
    left = [_kilobytes(Path("/proc/meminfo"), "MemAvailable")]
    group = _GROUPS / _text(Path("/proc/self/cgroup")).partition("0::/")[2].partition("\n")[0]
    # of version 2, then of version 1; a cache of files that nobody uses gives way
    for folder, most, used, cache in (
        (group, "memory.max", "memory.current", "inactive_file"),
        (_GROUPS, "memory.max", "memory.current", "inactive_file"),
        (_GROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, now = _text(folder / most).strip(), _text(folder / used).strip()
        if limit.isdecimal() and now.isdecimal():
            left.append(int(limit) - int(now) + _fields(folder / "memory.stat").get(cache, 0))
    if sys.platform == "linux":
        import resource

        most_space = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most_space != resource.RLIM_INFINITY:
            left.append(most_space - (_kilobytes(Path("/proc/self/status"), "VmSize") or 0))
    known = [each for each in left if each is not None]
    return max(0.0, float(min(known))) if known else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _fields(path: Path) -> Mapping[str, int]:
    words = (line.replace(":", "").split() for line in _text(path).splitlines())
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}


def _kilobytes(path: Path, field: str) -> int | None:
    found = _fields(path).get(field)
    return None if found is None else found * 1024

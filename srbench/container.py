"""What the container of an audio file promises: files that were cut short, or whose header was never finished.

libsndfile reads as many samples as are there and says nothing. Half a recording would then be scored as a whole one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NamedTuple

_PAGE = 27 + 255 + 255 * 255  # bytes; the largest page that Ogg has
_UNTOLD = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}  # a length that the writer did not know, by the bytes of its field
# Of a frame of MP3, layer III: kbit/s by index, of MPEG 1, then of 2 and 2.5
_KBITS = (
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


class _Data(NamedTuple):
    """Where the samples begin, how many bytes of them are promised (None: not told), and where the file should end."""

    start: int
    promised: int | None
    end: int | None = None


def is_audio(file: BinaryIO, suffix: str) -> bool:
    """Tell by its first bytes whether a file is of a kind that is opened.

    libsndfile tries to make something of any bytes, MP3 before all, and prints to stderr while it does.

    Parameters
    ----------
    file : binary file, at its start
    suffix : str
        With its dot. Only what is called ``.mp3`` is taken for MP3.
    """
    head = file.read(4)
    return head in _READERS or (suffix.lower() == ".mp3" and _first_frame(file) is not None)


def what_is_missing(file: BinaryIO) -> str:
    """Say what a file lacks of that which its header promises, with the numbers; "" where it lacks nothing.

    FLAC does not say how many bytes it has: there the decoder notices.

    Parameters
    ----------
    file : binary file
    """
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    reader = _READERS.get(file.read(4), _mp3)
    try:
        data = reader(file, size)
    except _Torn:
        return f"cut short: its header is not whole, and {size} bytes are there"
    except _NoLastPage:
        return f"cut short: its last page is missing after {size} bytes; encode it again if it is all there is"
    if data is None:
        return ""
    there = size - data.start
    if data.promised is None or (data.promised == 0 and there > 0 and (data.end or 0) <= data.start):
        says = "0 samples" if data.promised == 0 else "no length"
        return (
            f"its header says {says} while {there} bytes of samples follow, as when a recorder was killed "
            "or wrote to a pipe: write it anew, e.g. with 'sox --ignore-length IN OUT' or 'ffmpeg -i IN OUT'"
        )
    if data.end is not None and size + 64 < data.end:  # some writers are a few bytes off
        return f"cut short: its header promises {data.end} bytes, {size} are there"
    if there < data.promised:
        return f"cut short: its header promises {data.promised} bytes of samples, {max(0, there)} are there"
    return ""


class _Torn(Exception):
    """The file ends inside of its header."""


class _NoLastPage(Exception):
    """An Ogg file ends without the page that says that it is the last."""


def _number(file: BinaryIO, count: int, order: Literal["little", "big"]) -> int:
    content = file.read(count)
    if len(content) < count:
        raise _Torn
    return int.from_bytes(content, order)


def _chunks(file: BinaryIO, size: int, order: Literal["little", "big"]) -> Iterator[tuple[bytes, int]]:
    """Yield the name and the length of each chunk of a RIFF-like file; the file stands at its content."""
    place = 12
    while place + 8 <= size:
        file.seek(place)
        name, length = file.read(4), _number(file, 4, order)
        yield name, length
        place += 8 + length + length % 2


def _ends_in_chunks(file: BinaryIO, size: int, place: int, order: Literal["little", "big"]) -> bool:
    """Tell whether whole chunks, with names of letters, go on from a place to the end of the file."""
    while place + 8 <= size:
        file.seek(place)
        name, length = file.read(4), _number(file, 4, order)
        place += 8 + length + length % 2
        if not name.strip().isalnum() or place > size + 1:
            return False
    return True


def _riff(file: BinaryIO, size: int, order: Literal["little", "big"] = "little") -> _Data | None:
    file.seek(4)
    outer = _number(file, 4, order)
    end = None if outer >= 0x7FFF0000 else outer + 8  # a writer that cannot know the length says the most there is
    for name, length in _chunks(file, size, order):
        if name == b"data":
            start = file.tell()
            if length == 0 and not _ends_in_chunks(file, size, start, order):
                end = start  # what follows are samples, whatever the outer length says
            return _Data(start, None if length == _UNTOLD[4] else length, end)
    return None if end is None else _Data(size, 0, end)


def _rf64(file: BinaryIO, size: int) -> _Data | None:
    told = None
    for name, length in _chunks(file, size, "little"):
        if name == b"ds64":
            file.seek(8, os.SEEK_CUR)
            told = _number(file, 8, "little")
        if name == b"data":
            return _Data(file.tell(), told if length == _UNTOLD[4] else length)
    raise _Torn


def _aiff(file: BinaryIO, size: int) -> _Data | None:
    file.seek(4)
    end = _number(file, 4, "big") + 8
    for name, length in _chunks(file, size, "big"):
        if name == b"SSND":
            return _Data(file.tell() + 8, max(0, length - 8), end)
    return _Data(size, 0, end)


def _au(file: BinaryIO, _size: int) -> _Data | None:
    start, length = _number(file, 4, "big"), _number(file, 4, "big")
    return _Data(start, None if length == _UNTOLD[4] else length)


def _caf(file: BinaryIO, size: int) -> _Data | None:
    place = 8
    while place + 12 <= size:
        file.seek(place)
        name, length = file.read(4), _number(file, 8, "big")
        if name == b"data":
            return _Data(place + 12, None if length == _UNTOLD[8] else length)
        place += 12 + length
    raise _Torn


def _w64(file: BinaryIO, size: int) -> _Data | None:
    place = 40
    while place + 24 <= size:
        file.seek(place)
        name = file.read(16)[:4]
        length = _number(file, 8, "little")  # with the 24 bytes of its head
        if name == b"data":
            return _Data(place + 24, None if length == _UNTOLD[8] else max(0, length - 24))
        place += max(24, length + -length % 8)
    raise _Torn


def _nist(file: BinaryIO, _size: int) -> _Data | None:
    file.seek(0)
    head = file.read(1024).decode("ascii", "replace")
    numbers = {key: int(value) for key, value in re.findall(r"^(\w+) -i (\d{1,15})$", head, re.MULTILINE)}
    length = re.match(r"NIST_1A\n *(\d{1,6})\n", head)
    try:
        promised = numbers["sample_count"] * numbers["sample_n_bytes"] * numbers.get("channel_count", 1)
        return _Data(int(length[1]) if length else 1024, promised)
    except KeyError:
        return None


def _ogg(file: BinaryIO, size: int) -> _Data | None:
    """Ogg tells no length, but its last page says that it is the last."""
    file.seek(max(0, size - _PAGE))
    tail = file.read()
    for found in re.finditer(rb"OggS\x00", tail):
        page = tail[found.start() :]
        if len(page) < 27 or len(page) < 27 + page[26]:
            break
        if page[5] & 4 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]]):
            return None
    raise _NoLastPage


def _first_frame(file: BinaryIO) -> tuple[int, int] | None:
    """Return where the first frame of an MP3 file begins and how long it is; None where no second one follows."""
    file.seek(0)
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:
        start = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    place = start
    lengths = []
    for _ in range(2):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # 11 bits, then layer III
            return None
        version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
        if version == 1 or kbits in (0, 15) or rate == 3:
            return None
        per_kbit = 144_000 if version == 3 else 72_000
        speed = _KBITS[0 if version == 3 else 1][kbits - 1]
        lengths.append(per_kbit * speed // _MP3_RATES[version][rate] + (head[2] >> 1 & 1))
        place += lengths[-1]
    return start, lengths[0]


def _mp3(file: BinaryIO, _size: int) -> _Data | None:
    """Most encoders tell the number of bytes in the first frame (Xing's header); of others nothing is known."""
    found = _first_frame(file)
    if found is None:
        return None
    start, length = found
    file.seek(start)
    frame = file.read(length)
    told = re.search(rb"(?:Xing|Info)\x00\x00\x00(.)", frame, re.DOTALL)
    if told is None or not told[1][0] & 2:
        return None
    place = told.end() + (4 if told[1][0] & 1 else 0)
    return _Data(start, int.from_bytes(frame[place : place + 4], "big"))


_READERS: dict[bytes, Callable[[BinaryIO, int], _Data | None]] = {
    b"RIFF": _riff,
    b"RIFX": lambda file, size: _riff(file, size, "big"),
    b"RF64": _rf64,
    b"riff": _w64,
    b"FORM": _aiff,
    b".snd": _au,
    b"caff": _caf,
    b"NIST": _nist,
    b"fLaC": lambda _file, _size: None,
    b"OggS": _ogg,
}

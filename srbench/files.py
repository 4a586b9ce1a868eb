"""Files that are whole or not there at all, and opening only what is a file: no device, no pipe, no link in a run."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import logging
import os
import platform
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from srbench.errors import SrbenchError

UNFINISHED = ".unfinished"
LOCK = ".lock"
_LOG = logging.getLogger(__name__)
_NODE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]  # process ids are those of one machine
_FORGOTTEN = 86400.0  # seconds since an unfinished file was last written to, wherever its process was
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # these three are not on Windows
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def open_file(path: str | Path, flags: int = os.O_RDONLY, *, links: bool = True) -> BinaryIO:
    """Open what is a regular file: a pipe would wait for ever, and a device never end.

    Parameters
    ----------
    path : path
    flags : int
        Of `os.open`.
    links : bool
        Whether ``path`` itself may be a link.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file; it names the file.
    """
    # not to be kept waiting by a pipe; it means nothing to a regular file
    opened = os.open(path, flags | _NO_WAIT | _BINARY | (0 if links else _NO_LINK), 0o666)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return os.fdopen(opened, "rb" if not flags & (os.O_WRONLY | os.O_RDWR) else "r+b")
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(opened)
        raise


def read_file(path: str | Path, largest: int, *, links: bool = True) -> bytes:
    """Return what a regular file holds.

    Raises
    ------
    OSError
        If it cannot be read, is no regular file, or holds more than ``largest`` bytes; it names the file.
    """
    with open_file(path, links=links) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"is larger than {largest / 1e6:g} MB, which no such file is", str(path))
    return content


def need_plain(folder: Path) -> None:
    """Check that a folder holds regular files and folders only: a link would lead what is read or written elsewhere.

    Raises
    ------
    SrbenchError
        If there is a link, a pipe or a device in it.
    OSError
        If it cannot be listed.
    """
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_symlink():
                raise SrbenchError(
                    f"{entry.path}: is a link, and links are not followed here; put the file or folder itself there"
                )
            if not entry.is_file() and not entry.is_dir():
                raise SrbenchError(f"{entry.path}: is a pipe or a device, which does not belong here; remove it")


@contextmanager
def beside(path: str | Path) -> Iterator[Path]:
    """Offer a file in the same folder for what is to take the place of ``path`` once it is written, and only then.

    It is there, and empty. What processes that are gone left unfinished in that folder is cleared.

    Raises
    ------
    OSError
        If it cannot be written, or something that is no regular file is there; it names the file.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device would be replaced: /dev/null, for everybody
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    # nobody can know the name before, and put a link there; of one length, since the path's own may be the longest
    unfinished = path.with_name(f"{secrets.token_hex(8)}.{_NODE}.{os.getpid()}{UNFINISHED}")
    try:
        _clear_once(path.parent, os.getpid())
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _NO_LINK, 0o666))
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        if error.filename in (None, unfinished, str(unfinished)):  # none as on a full disk; nobody knows the unfinished
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | Path, *, newline: str | None = None, errors: str = "strict") -> Iterator[IO[str]]:
    """Open a text file for writing that takes the place of ``path`` once it is written, and not if that fails.

    Raises
    ------
    OSError
        If it cannot be written; it names the file.
    """
    with (
        beside(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline=newline, errors=errors) as file,  # closed first
    ):
        yield file


def clear_unfinished(folder: Path, *, alone: bool = False) -> None:
    """Remove what processes that are gone left unfinished in a folder; all of it, where nobody else writes there."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.endswith(UNFINISHED) and (alone or _left(entry)):
                    os.unlink(entry.path)


@functools.lru_cache(maxsize=1000)
def _clear_once(folder: Path, process: int) -> None:  # a forked process asks for itself
    clear_unfinished(folder)


def _left(entry: os.DirEntry[str]) -> bool:
    """Tell whether the process that an unfinished file is of is gone."""
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _FORGOTTEN:
        return True
    *_, node, process, _ = f"..{entry.name}".split(".")
    if node != _NODE or not process.isdecimal() or os.name == "nt":  # there, os.kill would end it
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@contextmanager
def alone_in(folder: Path, *, wait: bool, instead: str) -> Iterator[None]:
    """Hold a folder, so that no other process writes into it; a killed one holds it no longer.

    What was left unfinished in it is cleared.

    Parameters
    ----------
    folder : Path
    wait : bool
        For another process that holds it.
    instead : str
        The option that names another folder, for the error.

    Raises
    ------
    SrbenchError
        If another process holds it, and is not waited for; or its drive has no locks.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        if not wait:
            raise SrbenchError(
                f"{folder}: another srbench is writing into it; wait until it is done, or use another {instead}"
            ) from error
        _LOG.info("%s: another srbench is writing into it; waiting for what it makes", folder)
        lock.acquire()
    except NotImplementedError:  # an old filelock's word for a drive without locks
        yield
        return
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        raise SrbenchError(
            f"{folder}: its drive has no locks ({error.strerror}), so another srbench that writes there would not be "
            f"noticed.\nName a folder on another drive with {instead}, or have this one mounted with locks."
        ) from error
    try:
        clear_unfinished(folder, alone=True)
        yield
    finally:
        lock.release()

"""Unpack a downloaded archive, all of it or nothing, and nothing outside its folder."""

from __future__ import annotations

import functools
import json
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from srbench.errors import SrbenchError, shown
from srbench.names import leads_out

MARKER = ".srbench-fetched.json"  # in an unpacked corpus: what it was made from
_PLAIN = (0, stat.S_IFREG, stat.S_IFDIR)  # kinds of zip members; 0 where the archive was made on Windows


def extract(archive_path: str | Path, folder: str | Path, *, marker: Mapping[str, str] | None = None) -> Path:
    """Unpack a tar or zip archive into a new folder, all of it or nothing.

    Every member is looked at first: an absolute path, a drive letter, ``..``, a link or a device refuses the archive
    before anything is written. The files macOS adds (``._x``, ``.DS_Store``) are left out: they look like audio.

    Parameters
    ----------
    archive_path : path
    folder : path
        Must not hold anything; appears when all is unpacked.
    marker : mapping of str to str, optional
        Written to the file `MARKER` in the folder.

    Raises
    ------
    SrbenchError
        If the archive is unsafe or damaged, or the folder cannot be written.
    """
    path, folder = Path(archive_path), Path(folder)
    work = folder.with_name(f"{folder.name}.unpacking")
    need_nothing_there(folder)
    try:
        with tarfile.open(path) if tarfile.is_tarfile(path) else zipfile.ZipFile(path) as archive:
            members: list[tuple[Any, str, bool, int]]  # entry, name, is a plain file or folder, bytes
            unpack: Callable[..., None]
            if isinstance(archive, tarfile.TarFile):
                if not hasattr(tarfile, "data_filter"):
                    raise SrbenchError("this Python cannot unpack tar safely; install 3.10.12, 3.11.4 or newer")
                members = [(e, e.name, e.isreg() or e.isdir(), e.size) for e in archive.getmembers()]
                unpack = functools.partial(archive.extractall, filter="data")
            else:
                kinds = ((e, stat.S_IFMT(e.external_attr >> 16)) for e in archive.infolist())
                members = [(e, e.filename, kind in _PLAIN, e.file_size) for e, kind in kinds]
                unpack = archive.extractall
            for _, name, plain, _ in members:
                if not name or leads_out(name) or not plain:
                    why = ("points outside the folder" if plain else "is a link or a device") if name else "has no name"
                    raise SrbenchError(f"{path}: member {name!r} {why}: nothing was unpacked. Do not trust this file.")
            need_space(folder.parent, sum(size for *_, size in members), f"unpacking {path.name}")
            shutil.rmtree(work, ignore_errors=True)  # of a try that was killed
            work.mkdir(parents=True)
            unpack(work, [entry for entry, name, *_ in members if not _is_litter(name)])
        if marker:
            (work / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        work.replace(folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise SrbenchError(f"{path}: cannot be unpacked ({shown(error)}); is it a whole tar or zip archive?") from error
    except OSError as error:
        raise SrbenchError(f"{folder}: {path.name} cannot be unpacked here ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _is_litter(name: str) -> bool:
    return any(part.startswith("._") or part in ("__MACOSX", ".DS_Store") for part in PureWindowsPath(name).parts)


def need_nothing_there(folder: Path) -> None:
    """Raise SrbenchError if the folder exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SrbenchError(f"{folder}: exists and is not what would be fetched; move it away or choose another folder")


def need_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise SrbenchError if the disk that the folder is on has less than `needed` bytes free."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise SrbenchError(
            f"{folder}: {purpose} needs {bytes_text(needed)}, and {bytes_text(free)} are free.\n"
            "Make room or choose another folder, and run the same command again."
        )


def bytes_text(count: int) -> str:
    """Write a number of bytes for people: ``1.2 GB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"

"""The site's folder: what was written to it now, and what an earlier build left there."""

from __future__ import annotations

from pathlib import Path

from srbench.errors import SrbenchError
from srbench.files import whole_file

_WRITTEN = "srbench-site.txt"  # the files of the last build, so that the next one takes away what it no longer writes


class Output:
    """The site's folder, and what was written to it."""

    def __init__(self, folder: Path) -> None:
        self._listing = folder / _WRITTEN
        if self._listing.is_symlink() or (folder.is_dir() and any(folder.iterdir()) and not self._listing.is_file()):
            raise SrbenchError(f"{folder}: holds other files than a site of srbench; name an empty or a new folder")
        self.folder = folder
        self.written: set[str] = set()

    def place(self, name: str) -> Path:
        """Return where a file of the site goes, with its folder made."""
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise SrbenchError(f"{path}: leads out of the site through a link; remove it, or name another folder")
        if name not in self.written:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._listing.open("a", encoding="utf-8", newline="\n") as listing:
                listing.write(f"{name}\n")  # first of all: what a stopped build left is known for what it is
            self.written.add(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def text(self, name: str, text: str) -> None:
        """Write a text file; what UTF-8 has no bytes for is written as an escape."""
        with whole_file(self.place(name), errors="backslashreplace", newline="\n") as file:
            file.write(text)

    def finish(self) -> None:
        """Take away what an earlier build wrote and this one did not, and remember this one's files."""
        before = self._listing.read_text(encoding="utf-8", errors="replace").splitlines()
        for name in set(before) - self.written:
            old = self.folder / name
            if old.is_file() and old.resolve().is_relative_to(self.folder.resolve()):
                old.unlink()
        with whole_file(self._listing, newline="\n") as file:
            file.write("".join(f"{name}\n" for name in sorted(self.written)))

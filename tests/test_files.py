"""Files that are whole or absent, opened only where they are files, in folders that one process holds."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from srbench import audio
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError
from srbench.files import alone_in, beside, need_plain, open_file, read_file, whole_file
from srbench.text import read_text


def gone() -> int:
    """Return the number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"."):
            open_file(path)
        with pytest.raises(SrbenchError):
            read_text(path)
        with pytest.raises(SrbenchError):
            audio.read(path)
        assert file_digest(path) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """Else ``--csv /dev/null`` would end /dev/null for everybody on the machine."""
    os.mkfifo(tmp_path / "table.csv")
    for path, said in ((tmp_path / "table.csv", "is not a regular file"), (tmp_path, "directory")):
        with pytest.raises(OSError, match=said), whole_file(path):
            pass
    assert (tmp_path / "table.csv").is_fifo()
    assert list(tmp_path.iterdir()) == [tmp_path / "table.csv"]


def test_a_link_is_followed_only_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", 3) == b"abc"
    with pytest.raises(OSError, match=r"."):
        read_file(tmp_path / "link", 3, links=False)
    with pytest.raises(OSError, match="larger than") as caught:
        read_file(tmp_path / "file", 2)
    assert caught.value.filename == str(tmp_path / "file")


def test_a_folder_of_files_is_plain(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    need_plain(tmp_path)


def test_what_processes_left_is_cleared_and_what_runs_is_not(tmp_path: Path) -> None:
    with beside(tmp_path / "a") as under_way:
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        token, node, _, suffix = under_way.name.split(".")
        left = tmp_path / f"{token}.{node}.{gone()}.{suffix}"
        running = tmp_path / f"{token}.{node}.{other.pid}.{suffix}"
        elsewhere = tmp_path / f"{token}.00000000.{gone()}.{suffix}"
        forgotten = tmp_path / f"{token}.00000000.1.{suffix}"
        for path in (left, running, elsewhere, forgotten):
            path.write_bytes(b"")
        os.utime(forgotten, (0, 0))
        code = "import sys; from pathlib import Path; from srbench.files import whole_file\n"
        code += "with whole_file(Path(sys.argv[1])) as file: file.write('b')"
        subprocess.run([sys.executable, "-c", code, tmp_path / "b"], check=True)
        assert {*tmp_path.iterdir()} == {under_way, running, elsewhere, tmp_path / "b"}
        other.communicate(b"\n")
    with alone_in(tmp_path, wait=False, instead="--results"):
        assert {path.name for path in tmp_path.iterdir()} == {"a", "b", ".lock"}


def test_a_file_is_written_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "table.csv").symlink_to("mine")
    with whole_file(tmp_path / "table.csv") as file:
        file.write("table")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "table.csv").read_text() == "table"


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, beside(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_drive_without_locks_says_what_to_do(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)  # such a drive cannot be mounted in a test
    with pytest.raises(SrbenchError, match="--results") as caught, alone_in(tmp_path, wait=False, instead="--results"):
        pass
    assert str(tmp_path) in str(caught.value)
    assert os.strerror(number) in str(caught.value)

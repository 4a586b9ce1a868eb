"""Fetching a corpus, tried against a server here that is good, slow-witted, broken or malicious by turns."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import socket
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from srbench.corpora import fetch as module
from srbench.corpora.archives import ARCHIVES, Archive
from srbench.corpora.corpus import open_corpus
from srbench.corpora.fetch import fetch
from srbench.corpora.unpack import MARKER, extract
from srbench.errors import SrbenchError

CHUNK = 1024  # instead of 64 KiB, so that a tiny archive has many
NAMES = [f"p{speaker}_{number:03d}_mic1" for speaker in (225, 360) for number in (1, 2, 3)]
Files = dict[str, bytes]  # by their names
Make = Callable[..., bytes]  # an archive of them
Patch = pytest.MonkeyPatch


class Server(ThreadingHTTPServer):
    """Serves `files`; each request takes the next behaviour of `plan`, and serves properly once that is used up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: Files = {}
        self.plan: list[str] = []
        self.seen: list[tuple[str, str | None]] = []  # path and Range header
        self.sent = 0  # bytes of bodies
        self.validators = {"ETag": '"one"'}
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.seen]

    def stop(self) -> None:
        if self.thread.is_alive():
            self.shutdown()
            self.thread.join()
            self.server_close()


class Handler(BaseHTTPRequestHandler):
    """The behaviours: drop (half of the rest, then hang up), ignore (the range), page, and status numbers."""

    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.seen.append((self.path, asked))
        behaviour = server.plan.pop(0) if server.plan else "serve"
        body = server.files.get(self.path.lstrip("/"))
        if behaviour.isdigit() or body is None:
            return self.answer(int(behaviour) if behaviour.isdigit() else 404, b"no", {})
        if behaviour == "page":
            return self.answer(200, b"<!DOCTYPE html>Redirecting", {"Content-Type": "text/html; charset=utf-8"})
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behaviour != "ignore" else 0
        if start >= len(body):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        headers = dict(server.validators)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.answer(206 if start else 200, body[start:], headers, half=behaviour == "drop")

    def answer(self, status: int, body: bytes, headers: dict[str, str], half: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        part = body[: len(body) // 2] if half else body
        self.server.sent += len(part)  # before the client can have them, and ask how many there were
        self.wfile.write(part)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: Patch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "_CHUNK", CHUNK)
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def recordings() -> Files:
    """Six recordings of 0.1 s, by their paths in VCTK 0.92."""
    rng, files = np.random.default_rng(0), {}
    for name in NAMES:
        wav = io.BytesIO()
        soundfile.write(wav, rng.uniform(-0.5, 0.5, 4800), 48000, format="WAV", subtype="PCM_16")
        files[f"wav48_silence_trimmed/{name[:4]}/{name}.wav"] = wav.getvalue()
    return files


@pytest.fixture(scope="module")
def zipped(recordings: Files) -> bytes:
    return make_zip(recordings)


def make_zip(files: Files, symlink: str | None = None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        if symlink:
            entry = zipfile.ZipInfo(symlink)
            entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, "../..")
    return made.getvalue()


def make_tar(files: Files, symlink: str | None = None, kind: bytes = tarfile.SYMTYPE) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:  # like the real one: gzip, though it is called .tar
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if symlink:
            entry = tarfile.TarInfo(symlink)
            entry.type, entry.linkname = kind, "../.."
            archive.addfile(entry)
    return made.getvalue()


def make_archive(server: Server, content: bytes, *, file: str = "tiny.zip", **changes: Any) -> Archive:
    server.files[file] = content
    fields: dict[str, Any] = {
        "name": "tiny",
        "file": file,
        "urls": (server.address(file),),
        "hash": f"md5:{hashlib.md5(content).hexdigest()}",
        "licence": "CC BY 4.0",
        "unpacks_to": "six recordings",
        "size": len(content),
    }
    return Archive(**(fields | changes))


def failing(call: Callable[[], object]) -> str:
    """Return the message of the error `call` ends in, which must be fit for people."""
    with pytest.raises(SrbenchError) as caught:
        call()
    message = str(caught.value)
    assert 1 <= len(message.splitlines()) <= 2
    assert not any(inside in message for inside in ("HTTPConnectionPool", "object at", "Errno", "Traceback"))
    return message


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def is_whole(corpus: Path, recordings: Files) -> bool:
    opened = open_corpus(corpus)
    assert [utterance.id for utterance in opened.utterances] == [name.removesuffix("_mic1") for name in NAMES]
    assert opened.name.startswith("vctk-0.92")
    return all((corpus / name).read_bytes() == content for name, content in recordings.items())


def no_room(monkeypatch: Patch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=free, used=0, free=free))


# The transfer


def test_fetches_verifies_and_unpacks(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    steps: list[tuple[int, int | None]] = []
    lines: list[str] = []
    archive = make_archive(server, zipped)
    corpus = fetch(archive, tmp_path / "data", progress=lambda *step: steps.append(step), say=lines.append)
    assert corpus == tmp_path / "data" / "tiny"
    assert is_whole(corpus, recordings)
    assert tree(tmp_path / "data").isdisjoint({"tiny.zip", "tiny.zip.part", "tiny.zip.part.etag", "tiny.unpacking"})
    done = [count for count, _ in steps]
    assert done == sorted(done)
    assert len(done) > 10
    assert steps[-1] == (len(zipped), len(zipped))
    assert "CC BY 4.0" in lines[-1]
    assert str(archive.hash) in lines[-1]
    assert json.loads((corpus / MARKER).read_text())["hash"] == archive.hash
    assert server.ranges() == [None]


def test_second_fetch_asks_nothing(server: Server, zipped: bytes, tmp_path: Path):
    archive = make_archive(server, zipped)
    first = fetch(archive, tmp_path)
    asked = len(server.seen)
    server.stop()
    assert fetch(archive, tmp_path) == first
    assert len(server.seen) == asked


def test_dropped_connection_is_resumed(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    server.plan = ["drop"]
    lines: list[str] = []
    corpus = fetch(make_archive(server, zipped), tmp_path, waits=(0,), say=lines.append)
    assert is_whole(corpus, recordings)
    (_, first), (_, second) = server.seen
    assert first is None
    assert second is not None
    resumed_at = int(second.removeprefix("bytes=").rstrip("-"))
    assert len(zipped) // 2 - CHUNK < resumed_at <= len(zipped) // 2
    assert server.sent == len(zipped) // 2 + len(zipped) - resumed_at  # no byte twice, but for a started chunk
    assert any("broke off" in line for line in lines)


def test_when_the_tries_are_used_up_a_second_call_resumes(
    server: Server, zipped: bytes, recordings: Files, tmp_path: Path, monkeypatch: Patch
):
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    server.plan = ["drop"] * 3
    archive = make_archive(server, zipped)
    message = failing(lambda: fetch(archive, tmp_path, waits=(1, 2)))
    assert slept == [1, 2]
    have = (tmp_path / "tiny.zip.part").stat().st_size
    assert "3 tries" in message
    assert f"Run the same command again: it resumes at {have / 1e3:.1f} kB" in message
    assert len(server.seen) == 3
    assert not (tmp_path / "tiny").exists()
    assert is_whole(fetch(archive, tmp_path, waits=()), recordings)
    assert server.ranges()[3:] == [f"bytes={have}-"]
    assert server.sent < len(zipped) + 3 * CHUNK


def test_tries_are_counted_anew_after_headway(server: Server, zipped: bytes, tmp_path: Path, monkeypatch: Patch):
    server.plan = ["drop"] * 3
    monkeypatch.setattr(module, "_HEADWAY", CHUNK)
    fetch(make_archive(server, zipped), tmp_path, waits=(0,))
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", ["429", "503"])
def test_a_busy_server_is_asked_again(server: Server, zipped: bytes, tmp_path: Path, status: str):
    server.plan = [status]
    fetch(make_archive(server, zipped), tmp_path, waits=(0,))
    server.plan = [status] * 2
    message = failing(lambda: fetch(make_archive(server, zipped), tmp_path / "other", waits=(0,)))
    assert f"answered {status}" in message


def test_a_server_that_ignores_ranges_sends_all_again(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    server.plan = ["drop", "ignore"]
    lines: list[str] = []
    assert is_whole(fetch(make_archive(server, zipped), tmp_path, waits=(0,), say=lines.append), recordings)
    assert server.ranges()[1] is not None
    assert server.sent == len(zipped) // 2 + len(zipped)
    assert any("cannot resume" in line for line in lines)


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_changed_file_is_begun_anew(server: Server, zipped: bytes, recordings: Files, tmp_path: Path, header: str):
    server.validators = {header: "old"}
    server.plan = ["drop"]
    failing(lambda: fetch(make_archive(server, bytes(len(zipped))), tmp_path, waits=()))
    server.validators = {header: "new"}
    assert is_whole(fetch(make_archive(server, zipped), tmp_path, waits=()), recordings)
    assert server.ranges()[1] is not None
    assert server.ranges()[2] is None


@pytest.mark.parametrize("known", [True, False])
def test_complete_part_is_not_asked_for_again(server: Server, zipped: bytes, tmp_path: Path, known: bool):
    (tmp_path / "tiny.zip.part").write_bytes(zipped)
    fetch(make_archive(server, zipped, size=len(zipped) if known else None), tmp_path)
    assert server.ranges() == ([] if known else [f"bytes={len(zipped)}-"])  # the latter is answered 416
    assert server.sent == 0


def test_part_longer_than_the_file_is_begun_anew(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    (tmp_path / "tiny.zip.part").write_bytes(zipped + b"more")
    assert is_whole(fetch(make_archive(server, zipped), tmp_path), recordings)


def test_wrong_hash_is_told_and_retried_afresh(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    archive = make_archive(server, zipped)
    lie = bytes(len(zipped))
    server.files["tiny.zip"] = lie
    message = failing(lambda: fetch(archive, tmp_path))
    assert f"expected {archive.hash}, got md5:{hashlib.md5(lie).hexdigest()}" in message
    assert "removed" in message
    assert not (tmp_path / "tiny").exists()
    server.files["tiny.zip"] = zipped
    assert is_whole(fetch(archive, tmp_path), recordings)
    assert server.ranges() == [None, None]


def test_sha256_and_unknown_hashes(server: Server, zipped: bytes, tmp_path: Path):
    fetch(make_archive(server, zipped, hash=f"sha256:{hashlib.sha256(zipped).hexdigest()}"), tmp_path)
    assert "unknown kind" in failing(lambda: fetch(make_archive(server, zipped, hash="crc:1"), tmp_path / "other"))
    assert "cannot be verified" in failing(lambda: fetch(make_archive(server, zipped, hash=None), tmp_path / "third"))


def test_missing_file(server: Server, zipped: bytes, tmp_path: Path):
    archive = make_archive(server, zipped, urls=(server.address("gone.zip"),))
    message = failing(lambda: fetch(archive, tmp_path))
    assert "404" in message
    assert server.address("gone.zip") in message
    assert f"by hand to {tmp_path / 'tiny.zip'}" in message
    assert len(server.seen) == 1


def test_nothing_listens(server: Server, zipped: bytes, tmp_path: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    archive = make_archive(server, zipped, urls=(f"http://127.0.0.1:{port}/a", f"http://127.0.0.1:{port}/b"))
    message = failing(lambda: fetch(archive, tmp_path, waits=(3600,)))  # told at once: no waiting
    assert message.count(f"127.0.0.1:{port} cannot be reached (connection refused)") == 1
    assert "run the same command again" in message


def test_network_lost_on_the_way(server: Server, zipped: bytes, tmp_path: Path):
    server.plan = ["drop"]
    archive = make_archive(server, zipped)
    message = failing(lambda: fetch(archive, tmp_path, waits=(0, 0), say=lambda line: server.stop()))
    assert "cannot be reached" in message
    assert "3 tries" in message
    assert "it resumes at" in message


def test_a_page_instead_of_the_file_costs_nothing_and_the_next_address_is_tried(
    server: Server, zipped: bytes, recordings: Files, tmp_path: Path
):
    archive = make_archive(server, zipped)
    (tmp_path / "tiny.zip.part").write_bytes(zipped[:5000])
    server.plan = ["page"]
    message = failing(lambda: fetch(archive, tmp_path))
    assert "sent a page" in message
    assert "resumes at 5.0 kB" in message
    assert (tmp_path / "tiny.zip.part").read_bytes() == zipped[:5000]
    server.plan = ["page", "404"]
    both = make_archive(server, zipped, urls=(server.address("a"), server.address("b"), server.address("tiny.zip")))
    server.files["a"] = zipped
    assert is_whole(fetch(both, tmp_path), recordings)
    assert [path for path, _ in server.seen[1:]] == ["/a", "/b", "/tiny.zip"]
    assert server.ranges()[-1] == "bytes=5000-"


def test_another_size_than_expected_is_refused_before_the_download(server: Server, zipped: bytes, tmp_path: Path):
    message = failing(lambda: fetch(make_archive(server, zipped, size=len(zipped) - 1), tmp_path))
    assert f"offers {len(zipped)} bytes where {len(zipped) - 1} are expected" in message
    assert not (tmp_path / "tiny.zip.part").exists()


def test_another_address_may_be_given(server: Server, zipped: bytes, tmp_path: Path):
    archive = make_archive(server, zipped, urls=("https://example.invalid/tiny.zip",))
    fetch(archive, tmp_path, url=server.address("tiny.zip"))
    message = failing(lambda: fetch(archive, tmp_path / "other", url="no address"))
    assert "no address" in message


# The hash from a record


@pytest.mark.parametrize("shape", ["key", "filename"])
def test_hash_is_looked_up_in_the_record(server: Server, recordings: Files, tmp_path: Path, shape: str):
    content = make_tar({name.replace("wav48_silence_trimmed", "vctk_test"): it for name, it in recordings.items()})
    digest = hashlib.md5(content).hexdigest()
    files = [{shape: "else", "checksum": "md5:0"}, {shape: "tiny.zip", "checksum": digest, "size": len(content)}]
    server.files["api/1"] = json.dumps({"files": files}).encode()
    archive = make_archive(server, content, hash=None, size=None, record=server.address("api/1"))
    lines: list[str] = []
    corpus = fetch(archive, tmp_path, say=lines.append)
    assert f"md5:{digest} is the hash given by {server.address('api/1')}" in lines[-1]
    facts = json.loads((corpus / MARKER).read_text())
    assert (facts["hash"], facts["hash_from"]) == (f"md5:{digest}", archive.record)
    asked = len(server.seen)
    fetch(archive, tmp_path)
    assert len(server.seen) == asked == 2
    assert sorted(open_corpus(corpus).by_id()) == [name.removesuffix("_mic1") for name in NAMES]


def test_hash_from_the_record_is_verified(server: Server, zipped: bytes, tmp_path: Path):
    server.files["api/1"] = json.dumps({"files": [{"key": "tiny.zip", "checksum": "md5:" + "0" * 32}]}).encode()
    archive = make_archive(server, zipped, hash=None, record=server.address("api/1"))
    assert "wrong hash: expected md5:0000" in failing(lambda: fetch(archive, tmp_path))


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b'{"files": []}', "not listed"), (b"[]", "not listed"), (b"<html>", "Expecting value"), (None, "404")],
)
def test_record_without_the_hash(server: Server, zipped: bytes, tmp_path: Path, answer: bytes | None, said: str):
    if answer is not None:
        server.files["api/1"] = answer
    archive = make_archive(server, zipped, hash=None, record=server.address("api/1"))
    message = failing(lambda: fetch(archive, tmp_path))
    assert said in message
    assert server.address("api/1") in message
    assert [path for path, _ in server.seen] == ["/api/1"]


# What lies there already


def test_archive_downloaded_by_hand_is_used_and_left(server: Server, zipped: bytes, recordings: Files, tmp_path: Path):
    (tmp_path / "tiny.zip").write_bytes(zipped)
    assert is_whole(fetch(make_archive(server, zipped), tmp_path), recordings)
    assert (tmp_path / "tiny.zip").read_bytes() == zipped
    assert server.seen == []


def test_wrong_archive_downloaded_by_hand_is_left(server: Server, zipped: bytes, tmp_path: Path):
    (tmp_path / "tiny.zip").write_bytes(b"half")
    assert "wrong hash" in failing(lambda: fetch(make_archive(server, zipped), tmp_path))
    assert (tmp_path / "tiny.zip").read_bytes() == b"half"


def test_archive_can_be_kept(server: Server, zipped: bytes, tmp_path: Path):
    fetch(make_archive(server, zipped), tmp_path, keep_archive=True)
    assert (tmp_path / "tiny.zip").read_bytes() == zipped
    assert not (tmp_path / "tiny.zip.part").exists()


def test_somebody_elses_folder_is_not_touched(server: Server, zipped: bytes, tmp_path: Path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "mine.txt").write_text("mine")
    message = failing(lambda: fetch(make_archive(server, zipped), tmp_path))
    assert str(tmp_path / "tiny") in message
    assert tree(tmp_path) == {"tiny", "tiny/mine.txt"}
    assert server.seen == []


def test_another_version_there_is_not_taken_for_this_one(server: Server, zipped: bytes, tmp_path: Path):
    fetch(make_archive(server, zipped), tmp_path)
    failing(lambda: fetch(make_archive(server, zipped, hash="md5:" + "0" * 32), tmp_path))


# The disk


def test_disk_too_small_for_a_known_size(server: Server, zipped: bytes, tmp_path: Path, monkeypatch: Patch):
    no_room(monkeypatch, 2 * len(zipped) - 1)
    message = failing(lambda: fetch(make_archive(server, zipped), tmp_path))
    assert f"needs {2 * len(zipped) / 1e3:.1f} kB" in message
    assert str(tmp_path) in message
    assert server.seen == []
    (tmp_path / "tiny.zip.part").write_bytes(zipped[:5000])  # what is there needs no room any more
    no_room(monkeypatch, 2 * len(zipped) - 5000)
    fetch(make_archive(server, zipped), tmp_path)


def test_disk_too_small_for_a_size_the_server_tells(server: Server, zipped: bytes, tmp_path: Path, monkeypatch: Patch):
    no_room(monkeypatch, len(zipped))
    assert "free" in failing(lambda: fetch(make_archive(server, zipped, size=None), tmp_path))
    assert tree(tmp_path) == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full_on_the_way(server: Server, zipped: bytes, tmp_path: Path):
    (tmp_path / "tiny.zip.part").symlink_to("/dev/full")
    message = failing(lambda: fetch(make_archive(server, zipped), tmp_path))
    assert "No space left on device" in message
    assert "run the same command again" in message


def test_folder_that_cannot_be_made(server: Server, zipped: bytes, tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in failing(lambda: fetch(make_archive(server, zipped), tmp_path / "file" / "data"))


# Unpacking


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_extract(make: Make, recordings: Files, tmp_path: Path):
    litter = {f"__MACOSX/x/{NAMES[0]}.wav": b"", f"wav48_silence_trimmed/p225/._{NAMES[0]}.wav": b"", ".DS_Store": b""}
    (tmp_path / "archive").write_bytes(make({**recordings, **litter}))
    (tmp_path / "corpus.unpacking").mkdir()
    (tmp_path / "corpus.unpacking" / "left_by_a_killed_try.wav").write_text("")
    (tmp_path / "corpus").mkdir()  # an empty folder is no obstacle
    assert extract(tmp_path / "archive", tmp_path / "corpus") == tmp_path / "corpus"
    assert is_whole(tmp_path / "corpus", recordings)
    assert {path.name for path in (tmp_path / "corpus").rglob("*.*")} == {f"{name}.wav" for name in NAMES}
    assert not (tmp_path / "corpus.unpacking").exists()


EVIL = ["", "../evil.txt", "a/../../evil.txt", "/evil.txt", "C:evil.txt", "C:\\evil.txt", "..\\evil.txt", "\\evil.txt"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", EVIL)
def test_member_pointing_outside_refuses_all(make: Make, name: str, recordings: Files, server: Server, tmp_path: Path):
    archive = make_archive(server, make({**recordings, name: b"evil"}))
    message = failing(lambda: fetch(archive, tmp_path / "a" / "b"))
    assert repr(name) in message
    assert tree(tmp_path) == {"a", "a/b", "a/b/tiny.zip.part", "a/b/tiny.zip.part.etag"}
    assert not Path("/evil.txt").exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda files: make_zip(files, symlink="link"),
        lambda files: make_tar(files, symlink="link"),
        lambda files: make_tar(files, symlink="link", kind=tarfile.LNKTYPE),
        lambda files: make_tar(files, symlink="link", kind=tarfile.FIFOTYPE),
    ],
    ids=["zip", "tar", "tar-hard", "tar-fifo"],
)
def test_link_or_device_refuses_all(make: Make, recordings: Files, server: Server, tmp_path: Path):
    message = failing(lambda: fetch(make_archive(server, make(recordings)), tmp_path / "data"))
    assert "'link' is a link or a device" in message
    assert tree(tmp_path) == {"data", "data/tiny.zip.part", "data/tiny.zip.part.etag"}


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_too_long_for_the_disk_leaves_nothing(make: Make, recordings: Files, tmp_path: Path):
    (tmp_path / "archive").write_bytes(make({**recordings, "x" * 300: b""}))
    assert "File name too long" in failing(lambda: extract(tmp_path / "archive", tmp_path / "corpus"))
    assert tree(tmp_path) == {"archive"}


def test_killed_unpacking_leaves_nothing_that_looks_complete(
    zipped: bytes, tmp_path: Path, monkeypatch: Patch, recordings: Files, server: Server
):
    complete = zipfile.ZipFile.extractall
    seen: list[set[str]] = []

    def interrupted(self: zipfile.ZipFile, path: Path, members: list[zipfile.ZipInfo]) -> None:
        complete(self, path, members[:3])
        seen.append(tree(tmp_path))
        raise KeyboardInterrupt

    archive = make_archive(server, zipped)
    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "extractall", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(archive, tmp_path)
    assert not any(path == "tiny" or path.startswith("tiny/") for path in seen[0])  # even while it went on
    assert not (tmp_path / "tiny").exists()
    assert is_whole(fetch(archive, tmp_path), recordings)
    assert server.ranges() == [None]  # what was downloaded is used


def damaged(recordings: Files) -> Files:
    zipped, tarred = make_zip(recordings), make_tar(recordings)
    encrypted = bytearray(zipped)
    encrypted[encrypted.index(b"PK\x03\x04") + 6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    return {
        "encrypted zip": bytes(encrypted),
        "zip with a flipped byte": zipped[:500] + bytes([zipped[500] ^ 1]) + zipped[501:],
        "zip with a long name in a header": zipped[:26] + b"\xff\x03" + zipped[28:],
        "half a zip": zipped[: len(zipped) // 2],
        "half a tar": tarred[: len(tarred) // 2],
        "neither": b"hello",
        "nothing": b"",
    }


CASES = ["encrypted zip", "zip with a flipped byte", "zip with a long name in a header"]
CASES += ["half a zip", "half a tar", "neither", "nothing"]


@pytest.mark.parametrize("case", CASES)
def test_damaged_archive(case: str, recordings: Files, tmp_path: Path):
    (tmp_path / "archive").write_bytes(damaged(recordings)[case])
    refused = failing(lambda: extract(tmp_path / "archive", tmp_path / "corpus"))
    assert str(tmp_path / "archive") in refused
    assert refused.isprintable()
    assert len(refused) < 500
    assert tree(tmp_path) == {"archive"}


def test_archive_missing_or_too_large(zipped: bytes, tmp_path: Path, monkeypatch: Patch):
    assert "No such file" in failing(lambda: extract(tmp_path / "none", tmp_path / "corpus"))
    (tmp_path / "archive").write_bytes(zipped)
    no_room(monkeypatch, 10_000)
    assert "free" in failing(lambda: extract(tmp_path / "archive", tmp_path / "new" / "corpus"))
    assert tree(tmp_path) == {"archive"}


def test_python_without_the_data_filter(tmp_path: Path, monkeypatch: Patch):
    (tmp_path / "archive").write_bytes(make_tar({"a.txt": b"a"}))
    monkeypatch.delattr(tarfile, "data_filter")
    assert "3.11.4" in failing(lambda: extract(tmp_path / "archive", tmp_path / "corpus"))


# The list


def test_list_of_archives():
    assert set(ARCHIVES) == {"vctk-0.92", "vctk-test8"}
    for name, archive in ARCHIVES.items():
        assert archive.name == name
        assert bool(archive.hash) != bool(archive.record)
        assert all(url.startswith("https://") for url in (*archive.urls, archive.record or "https://"))
        assert "CC BY 4.0" in archive.licence


def test_unknown_name(tmp_path: Path):
    assert "Did you mean 'vctk-0.92'?" in failing(lambda: fetch("vctk-0.93", tmp_path))

"""Fetch a corpus: download it, resuming where an earlier try stopped; verify its hash; unpack it.

Hashing is pooch's; the transfer is ours, on requests, because pooch's downloaders open their file anew at every try,
and so cannot resume 12 GB.

In the folder asked for, ``<file>.part`` grows, and ``<file>.part.etag`` says of which version of the server's file;
``<name>/`` is complete, since it appears by a rename. ``<file>``, downloaded by hand, is taken instead of the network
and left where it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from srbench.corpora.archives import ARCHIVES, Archive
from srbench.corpora.unpack import MARKER, bytes_text, extract, need_nothing_there, need_space
from srbench.errors import SrbenchError, unknown_name

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each further try
_HEADWAY = 64_000_000  # bytes of progress after which the tries are counted anew: a long download may drop often
_CHUNK = 1 << 16  # also what a dropped connection loses at most
_TIMEOUT = (30, 60)  # seconds to connect, and between two pieces
_HEADERS = {"User-Agent": "srbench", "Accept-Encoding": "identity"}  # lengths and ranges must count the file's bytes

Downloaded = Callable[[int, "int | None"], None]
Say = Callable[[str], None]


class _Dropped(Exception):
    """The transfer broke off: worth another try from where it stopped."""


class _Unreachable(_Dropped):
    """No connection came about: worth another try only if there has been one before."""


class _Refused(Exception):
    """The address does not give the file, however often it is asked."""


def fetch(
    name_or_archive: str | Archive,
    folder: str | Path,
    *,
    url: str | None = None,
    progress: Downloaded | None = None,
    say: Say = lambda line: None,
    keep_archive: bool = False,
    waits: Sequence[float] = WAITS,
) -> Path:
    """Download, verify and unpack a corpus, and return the folder to give to ``--data``; once there, at once.

    The hash guards against damage and mix-ups. For ``vctk-test8`` it is not known in advance: it is read, over https,
    from the Zenodo record the file comes from, so it proves that the file arrived as Zenodo has it and no more. The
    last line given to `say`, and the marker in the folder, tell where the hash came from.

    Parameters
    ----------
    name_or_archive : str or Archive
        A name in `ARCHIVES`, or another archive.
    folder : path
        Where the corpus's own folder is to be.
    url : str, optional
        Another address (a mirror) of the same file.
    progress : callable, optional
        Called with the bytes there are and the bytes there will be (None if the server does not tell).
    say : callable
        Called with a line for people whenever something happens.
    keep_archive : bool
        Keep the downloaded file beside the unpacked corpus.
    waits : sequence of float, in seconds
        Pauses before each further try after a dropped connection.

    Raises
    ------
    SrbenchError
        If anything goes wrong; the message says what to do next.
    """
    if isinstance(name_or_archive, str) and name_or_archive not in ARCHIVES:
        raise unknown_name("corpus to fetch", name_or_archive, ARCHIVES)
    archive = ARCHIVES[name_or_archive] if isinstance(name_or_archive, str) else name_or_archive
    target = Path(folder) / archive.name
    by_hand, part = target.with_name(archive.file), target.with_name(f"{archive.file}.part")
    try:
        if (target / MARKER).is_file() and (archive.hash or "") in (target / MARKER).read_text(encoding="utf-8"):
            say(f"{target}: fetched already")
            return target
        need_nothing_there(target)
        part.parent.mkdir(parents=True, exist_ok=True)
        digest, size, source = _expected_hash(archive)
        if not by_hand.exists():
            _download((url,) if url else archive.urls, part, size, progress, say, waits)
        whole = by_hand if by_hand.exists() else part
        say(f"{archive.file}: comparing its hash")
        _verify(whole, digest, ours=whole == part)
        facts = {"file": archive.file, "hash": digest, "hash_from": source, "licence": archive.licence}
        extract(whole, target, marker={"name": archive.name, **facts})
        part.with_suffix(".part.etag").unlink(missing_ok=True)
        if whole == part and keep_archive:
            part.replace(by_hand)
        elif whole == part:
            part.unlink()
    except OSError as error:
        raise SrbenchError(
            f"{error.filename or folder}: {error.strerror or error}.\n"
            "Make room or choose another folder, and run the same command again: the downloaded part is kept."
        ) from error
    say(f"{target}: complete; {digest} is the hash given by {source}. {archive.licence}")
    return target


def _expected_hash(archive: Archive) -> tuple[str, int | None, str]:
    """Return hash, size in bytes if known, and who says so."""
    import requests

    if archive.hash:
        return archive.hash, archive.size, "srbench's list"
    if not archive.record:
        raise SrbenchError(f"{archive.name}: has neither a hash nor a record that gives one, so it cannot be verified")
    try:
        answer = requests.get(archive.record, headers=_HEADERS, timeout=_TIMEOUT)
        answer.raise_for_status()
        # Zenodo has used two sets of names since 2023; pooch, too, understands both.
        files = {item.get("key") or item["filename"]: item for item in answer.json()["files"]}
        listed = files[archive.file]
        checksum, size = str(listed["checksum"]), int(listed.get("size") or listed.get("filesize") or 0) or None
    except (requests.RequestException, KeyError, TypeError, ValueError, AttributeError) as error:
        why = _brief(error) if isinstance(error, requests.RequestException) else "it is not listed there"
        raise SrbenchError(
            f"{archive.file}: its hash cannot be looked up at {archive.record}: {why}.\n"
            "Nothing was downloaded. Check the network and run the same command again."
        ) from error
    return checksum if ":" in checksum else f"md5:{checksum}", size, archive.record


def _download(
    urls: Sequence[str],
    part: Path,
    size: int | None,
    progress: Downloaded | None,
    say: Say,
    waits: Sequence[float],
) -> None:
    refusals = []
    for url in urls:
        at_first, most, tries = _size(part), _size(part), 0
        while True:
            try:
                return _request(url, part, size, progress, say)
            except _Refused as refusal:
                refusals.append(str(refusal))
                break
            except _Dropped as drop:
                have = _size(part)
                if isinstance(drop, _Unreachable) and have == at_first:
                    refusals.append(str(drop))
                    break
                if have >= most + _HEADWAY:
                    most, tries = have, 0
                if tries == len(waits):
                    again = f"Run the same command again: it resumes at {bytes_text(have)}."
                    raise SrbenchError(f"{part.stem}: {drop}, after {tries + 1} tries.\n{again}") from drop
                say(f"{part.stem}: {drop}; trying again from {bytes_text(have)} in {waits[tries]:g} s")
                time.sleep(waits[tries])
                tries += 1
    kept = f", which resumes at {bytes_text(_size(part))}," if _size(part) else ""
    raise SrbenchError(
        f"{part.stem}: {'; '.join(dict.fromkeys(refusals))}.\nCheck the network and run the same command again{kept} "
        f"or download the file by hand to {part.with_suffix('')}."
    )


def _request(url: str, part: Path, size: int | None, progress: Downloaded | None, say: Say) -> None:
    """Ask once for what is missing and append it to `part`; return when it is complete."""
    import requests

    host, have, version_file = urlsplit(url).netloc, _size(part), part.with_suffix(".part.etag")
    if have and have == size:
        return
    purpose = f"{part.stem}, to be downloaded and unpacked,"  # it and what it unpacks to lie side by side for a while
    need_space(part.parent, 2 * (size or 0) - have, purpose)
    try:
        range_header = {"Range": f"bytes={have}-"} if have else {}
        response = requests.get(url, headers={**_HEADERS, **range_header}, stream=True, timeout=_TIMEOUT)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _Unreachable(f"{host} cannot be reached ({_brief(error)})") from error
    except requests.RequestException as error:
        raise _Refused(f"{url} cannot be asked ({_brief(error)})") from error
    with response:
        status, said = response.status_code, response.headers
        span = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", said.get("Content-Range", ""))
        length = said.get("Content-Length", "")
        total = int(span[2]) if span else int(length) if length.isdigit() else None
        version = said.get("ETag") or said.get("Last-Modified") or ""
        if status in (408, 429) or status >= 500:
            raise _Dropped(f"{host} answered {status}")
        if have and status in (206, 416):
            if status == 416 and span and total == have:
                return
            # The version is compared here, not by If-Range: DSpace, which serves VCTK, does not look at that header.
            known = version_file.read_text(encoding="utf-8") if version_file.exists() else ""
            if not span or span[1] != str(have) or (known and version != known):
                say(f"{part.stem}: {host} has another file than the one begun; starting over")
                response.close()
                part.unlink()
                return _request(url, part, size, progress, say)  # without a range now, so this happens once
        elif status != 200:
            raise _Refused(f"{host} answered {status} {response.reason} for {url}")
        if said.get("Content-Type", "").startswith("text/"):
            raise _Refused(f"{host} sent a page instead of the file for {url}")
        if size and total and total != size:
            raise _Refused(f"{host} offers {total} bytes where {size} are expected")
        need_space(part.parent, 2 * (total or 0) - have, purpose)
        if status == 200:
            if have:
                say(f"{part.stem}: {host} cannot resume; starting over")
            have = 0
            version_file.write_text(version, encoding="utf-8")
        try:
            with part.open("ab" if have else "wb") as out:
                for chunk in response.iter_content(_CHUNK):
                    out.write(chunk)
                    have += len(chunk)
                    if progress:
                        progress(have, total)
            broke_off = have < (total or size or 0)  # urllib3 1 does not notice
        except requests.RequestException:
            broke_off = True
        if broke_off:
            raise _Dropped(f"{host} broke off at {bytes_text(have)}" + (f" of {bytes_text(total)}" if total else ""))


def _verify(file: Path, digest: str, *, ours: bool) -> None:
    import pooch

    algorithm, _, expected = digest.partition(":")
    try:
        got = pooch.file_hash(str(file), alg=algorithm)
    except ValueError as error:
        raise SrbenchError(f"{file}: cannot be verified: {digest} is of an unknown kind") from error
    if got != expected.lower():
        if ours:
            file.unlink()
        what_now = "It was removed; run the same command again to start afresh." if ours else "Remove it and run again."
        raise SrbenchError(f"{file}: wrong hash: expected {digest}, got {algorithm}:{got}.\n{what_now}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _brief(error: Exception) -> str:
    """Say what requests means, without the objects it prints."""
    reasons = {"CERTIFICATE": "its certificate is not accepted", "resol": "its name is not known here"}
    reasons |= {"refused": "connection refused", "timed out": "no answer in time"}
    return next((reason for key, reason in reasons.items() if key in str(error)), str(error)[:120])

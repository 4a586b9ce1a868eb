"""File names for what has a name of its own: whatever it is called, a safe one, and a different one for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

# names of the site's own pages, of webMUSHRA's own conditions, and those that Windows keeps for devices
_TAKEN = {"index", "listen", "abx", "published", "static", "clips", "anchor35", "anchor70", "con", "prn", "aux", "nul"}
_TAKEN |= {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
_LONGEST = 60
_DIGITS = re.compile(r"-[0-9a-f]{8}$")  # a name that ends like one of ours


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Map names to file names without a suffix: letters, digits, ``.``, ``_`` and ``-``.

    A name that is not fit as it is, or differs from another only by case, gets digits of its SHA-256, so that links
    stay good when other names come and go.
    """
    names = list(dict.fromkeys(names))
    folded = [name.casefold() for name in names]
    found = {}
    for name in names:
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:_LONGEST]
        taken = safe.casefold().split(".")[0] in _TAKEN or folded.count(name.casefold()) > 1
        if taken or not safe or safe != name or _DIGITS.search(name):
            digits = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            safe = f"{safe}-{digits}" if safe else digits
        found[name] = safe
    return found

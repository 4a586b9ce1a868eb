"""The corpora that can be fetched: where they lie, and what they must be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """A corpus that can be fetched.

    ``urls`` are tried in turn. ``hash`` is ``md5:...`` or ``sha256:...``; where it is None, ``record`` is the address
    of a Zenodo record (its API) which lists the hash of ``file``. ``size`` is in bytes, None where it is not known.
    """

    name: str
    file: str
    urls: tuple[str, ...]
    hash: str | None
    licence: str
    unpacks_to: str
    size: int | None = None
    record: str | None = None


VCTK_092 = Archive(
    name="vctk-0.92",
    file="VCTK-Corpus-0.92.zip",
    # The address everybody cites comes second: since DataShare moved to DSpace 7 it is reported to answer programs with
    # a page that names the first.
    urls=(
        "https://datashare.ed.ac.uk/server/api/core/bitstreams/535f4286-e54c-4038-838c-a02285e32cb2/content",
        "https://datashare.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip",
    ),
    hash="md5:8a6ba2946b36fcbef0212cad601f4bfa",
    licence="CC BY 4.0: Yamagishi, Veaux, MacDonald, University of Edinburgh, doi:10.7488/ds/2645",
    unpacks_to="wav48_silence_trimmed/pXXX/pXXX_NNN_mic{1,2}.flac of 110 speakers, and their texts",
    size=11_747_302_977,
)
VCTK_TEST8 = Archive(
    name="vctk-test8",
    file="vctk_test_48k.tar",
    urls=("https://zenodo.org/records/6370601/files/vctk_test_48k.tar?download=1",),
    hash=None,  # published nowhere but in the record itself
    record="https://zenodo.org/api/records/6370601",
    licence="CC BY 4.0: a part of VCTK 0.92, put together by the authors of NVSR, Zenodo record 6370601",
    unpacks_to="vctk_test/pXXX/ of the eight usual test speakers p360 p361 p362 p363 p364 p374 p376 s5",
)
ARCHIVES: dict[str, Archive] = {archive.name: archive for archive in (VCTK_092, VCTK_TEST8)}

"""Names that come from outside, where they become cells, folders and files."""

from __future__ import annotations

from pathlib import PureWindowsPath

from srbench.errors import SrbenchError, shown

FORMULA_SIGNS = "=+-@＝＋－＠"  # the wide ones count in Japanese and Chinese spreadsheets


def check_name(what: str, name: str) -> None:
    """Refuse a name that cannot stand in tables and folders as it is.

    Parameters
    ----------
    what : str
        Whose name it is, as a person calls it ("an upscaler's name").
    name : str

    Raises
    ------
    SrbenchError
        If it is empty or only dots, begins with a sign that spreadsheets take for a formula's, has blanks around it,
        or holds a line break or another letter that does not print.
    """
    if not name.strip("."):
        broken = "it is empty" if not name else "it is only dots"
    elif name[0] in FORMULA_SIGNS:
        broken = f"it begins with {name[0]}, and a spreadsheet would run it as a formula"
    elif name != name.strip():
        broken = "it has a blank before or after it"
    elif not name.isprintable():
        broken = "it holds a line break or another letter that does not print"
    else:
        return
    raise SrbenchError(f"{what} cannot be {shown(repr(name))}: {broken}")


def leads_out(name: str) -> bool:
    """Tell whether a path may lead out of the folder that it is relative to, on this system or on another.

    Windows knows both separators and drives, so by its rules everything is found that is unsafe on some system.
    """
    path = PureWindowsPath(name)
    return bool(path.drive or path.root) or ".." in path.parts or "\0" in name

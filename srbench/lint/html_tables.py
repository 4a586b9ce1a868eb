"""HTML tables as grids of cells: cells that span rows or columns are repeated in each."""

from __future__ import annotations

from html.parser import HTMLParser

from srbench.lint.grid import Grid, marked_text

_WIDEST = 300  # columns or rows that one cell may span
_MOST_ROWS = 5001  # one more than a results table may have


def html_grids(text: str) -> list[Grid]:
    """Return the tables of a page; one inside another is read by itself."""
    reader = _Tables()
    reader.feed(text)
    reader.close()
    return [table.grid() for table in reader.tables]


class _Table:
    def __init__(self) -> None:
        self.rows: list[list[tuple[str, int, int]]] = []  # text, rows, columns
        self.caption = ""

    def grid(self) -> Grid:
        placed: dict[tuple[int, int], str] = {}
        self.rows = self.rows[:_MOST_ROWS]
        for i, row in enumerate(self.rows):
            j = 0
            for text, tall, wide in row:
                while (i, j) in placed:
                    j += 1
                if j > _WIDEST:
                    break
                for a in range(min(tall, len(self.rows) - i)):
                    for b in range(wide):
                        placed[i + a, j + b] = text
                j += wide
        width = max((j for _, j in placed), default=-1) + 1
        rows = [[placed.get((i, j), "") for j in range(width)] for i in range(len(self.rows))]
        return Grid([row for row in rows if any(row)], self.caption)


class _Tables(HTMLParser):
    """Collects the cells of every table; what a page leaves open ends with the next cell, row or table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self._open: list[_Table] = []
        self._text: list[str] | None = None
        self._spans = (1, 1)
        self._raised: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._end_cell()
            self._open.append(_Table())
            self.tables.append(self._open[-1])
        elif not self._open:
            return
        elif tag == "tr":
            self._end_cell()
            self._open[-1].rows.append([])
        elif tag in ("td", "th", "caption"):
            self._end_cell()
            given = dict(attrs)
            self._spans = (0, 0) if tag == "caption" else (_count(given.get("rowspan")), _count(given.get("colspan")))
            self._text = []
        elif tag == "sup" and self._text is not None:
            self._raised = len(self._text)
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "sup" and self._text is not None and self._raised is not None:
            raised = "".join(self._text[self._raised :])
            power = "".join(self._text[: self._raised]).rstrip().endswith("10")
            mark = "†" if "†" in raised else ""  # other footnotes say nothing of the number
            self._text[self._raised :] = [f"^{raised}" if power else mark]
            self._raised = None
        elif tag in ("td", "th", "caption", "tr", "table"):
            self._end_cell()
            if tag == "table" and self._open:
                self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is None or not self._open:
            return
        text, table = marked_text("".join(self._text)), self._open[-1]
        self._text = self._raised = None
        if self._spans == (0, 0):
            table.caption = text
        else:
            table.rows = table.rows or [[]]
            table.rows[-1].append((text, *self._spans))


def _count(given: str | None) -> int:
    plain = given is not None and given.isascii() and given.isdecimal() and len(given) < 5
    return min(max(int(given or 1), 1), _WIDEST) if plain else 1

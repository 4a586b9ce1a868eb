"use strict";

// Sorting, filtering and the columns of a leaderboard; filtering of published numbers; signatures on hover and focus.

(() => {
  for (const tools of document.querySelectorAll("[data-tools]")) {
    const table = tools.nextElementSibling.querySelector("table");
    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.addEventListener("input", () => filter(tools, table));
    for (const box of tools.querySelectorAll("[data-column]")) {
      box.addEventListener("change", () => {
        for (const cell of table.querySelectorAll(`[data-column="${CSS.escape(box.dataset.column)}"]`)) {
          cell.hidden = !box.checked;
        }
      });
    }
    for (const button of table.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => sort(table, button.closest("th")));
    }
    // a reload keeps what the boxes say: the table must say the same
    for (const box of tools.querySelectorAll("[data-column]")) box.dispatchEvent(new Event("change"));
    filter(tools, table);
  }

  function filter(tools, table) {
    const wanted = tools.querySelector("[data-filter]").value.trim().toLowerCase();
    const [anchors, doubted] = ["anchors", "doubted"].map((name) => tools.querySelector(`[data-${name}]`));
    const selects = [...tools.querySelectorAll("[data-select]")].filter((select) => select.value);
    const rows = [...table.querySelectorAll("tbody tr")];
    let shown = 0;
    for (const row of rows) {
      const hidden =
        !row.dataset.name.toLowerCase().includes(wanted) ||
        (anchors && !anchors.checked && "isAnchors" in row.parentElement.dataset) ||
        (doubted && !doubted.checked && "isDoubted" in row.dataset) ||
        selects.some((select) => row.dataset[select.dataset.select] !== select.value);
      row.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    const text = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    tools.querySelector("[data-count]").textContent = text;
  }

  // The first click puts the best first, the next turns it round; a cell without a value is last either way.
  function sort(table, head) {
    const down = head.dataset.better === "higher";
    const was = head.getAttribute("aria-sort");
    const descending = was === "none" ? down : was === "ascending";
    for (const each of table.querySelectorAll("th[aria-sort]")) each.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const place = head.cellIndex;
    for (const body of table.tBodies) {
      const rows = [...body.rows].map((row) => [row, row.cells[place].dataset.value]);
      const texts = rows.some(([, value]) => value !== "" && Number.isNaN(Number(value)));
      rows.sort(([, a], [, b]) => {
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = texts ? a.localeCompare(b, "en") : Number(a) - Number(b) || 0;
        return descending ? -order : order;
      });
      body.append(...rows.map(([row]) => row));
    }
  }

  const tip = document.getElementById("tip");
  if (!tip) return;
  let owner = null;
  const show = (button) => {
    owner = button;
    tip.textContent = button.dataset.tip;
    tip.hidden = false;
    button.setAttribute("aria-describedby", "tip");
    const box = button.getBoundingClientRect();
    const width = tip.offsetWidth;
    tip.style.left = `${Math.max(8, Math.min(box.left - width / 2, document.documentElement.clientWidth - width - 8))}px`;
    const below = box.bottom + 8;
    tip.style.top = `${below + tip.offsetHeight > innerHeight ? Math.max(8, box.top - tip.offsetHeight - 8) : below}px`;
  };
  const hide = () => {
    if (owner) owner.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  };
  for (const button of document.querySelectorAll("[data-tip]")) {
    button.addEventListener("mouseenter", () => show(button));
    button.addEventListener("mouseleave", () => button !== document.activeElement && hide());
    button.addEventListener("focus", () => show(button));
    button.addEventListener("blur", hide);
    button.addEventListener("click", () => show(button)); // a tap does not focus a button everywhere
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  // focus may scroll its button into view: the tip goes along
  const move = () => owner && (owner === document.activeElement ? show(owner) : hide());
  addEventListener("scroll", move, { passive: true, capture: true });
})();

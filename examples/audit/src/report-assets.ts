/** What the page of a report brings along: its style, and the script that sorts and filters its tables. */
import { Html } from "./html.ts";

export const PAGE_STYLE: Html = new Html(`
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { margin-bottom: 0; }
.cards { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; list-style: none; }
.cards li { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; }
.cards b { display: block; font-size: 1.4rem; }
.table { overflow: auto; max-height: 36rem; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { position: sticky; top: 0; background: Canvas; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th[aria-sort="ascending"] button::after { content: " \\25B2"; }
th[aria-sort="descending"] button::after { content: " \\25BC"; }
th button:focus-visible { outline: 2px solid; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
input { font: inherit; padding: .25rem .6rem; margin-bottom: .5rem; width: min(100%, 22rem); }
`);

export const PAGE_SCRIPT: Html = new Html(`
const FILTER_FROM = 12;
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const heads = [...box.querySelectorAll("th")];
  heads.forEach((head, column) => {
    const keyOf = (row) => {
      const { dataset, textContent } = row.cells[column];
      return dataset.sort === undefined ? textContent.toLowerCase() : Number(dataset.sort);
    };
    head.firstChild.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      const direction = descending ? -1 : 1;
      rows.sort((a, b) => direction * (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...rows);
    });
  });
  if (rows.length < FILTER_FROM) continue;
  const filter = document.createElement("input");
  filter.type = "search";
  filter.placeholder = "Filter " + rows.length + " rows";
  filter.setAttribute("aria-label", filter.placeholder);
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  box.before(filter);
}
`);

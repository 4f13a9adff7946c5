// Who reaches whom: a row for whoever sends, a column for whoever receives. Both open from classes to
// devices; a cell explains itself.

import type { Cell, End } from "../../../pkg/web/aclc.js";
import { count, fill, h, later } from "../dom.ts";
import type { Model, Pane } from "../model.ts";
import { explanation } from "./explanation.ts";

/** At most so many rows and columns are drawn; a filter finds the others. */
const MAX_SHOWN = 40;

/** What kinds of access there are: the letter says it as well as the shape, the shape as the colour. */
const KINDS = {
  all: { letter: "A", words: "every port" },
  some: { letter: "P", words: "some ports" },
  conditional: { letter: "C", words: "depends" },
} as const;

interface Line {
  end: End;
  depth: number;
  /** Whether it opens, and is open. */
  open: boolean | null;
}

type Axis = "rows" | "columns";

export function matrixPane(model: Model): Pane {
  const open = { rows: new Set<string>(), columns: new Set<string>() };
  const filter = h("input", {
    type: "search", placeholder: "Filter names", "aria-label": "Show only names with this text", class: "filter",
    oninput: later(120, () => void draw()),
  });
  const table = h("table", { class: "matrix", role: "grid", "aria-label": "Who reaches whom: senders in rows, receivers in columns" });
  const note = h("p", { class: "dim note" });
  const detail = h("section", { class: "detail", "aria-live": "polite", "aria-label": "Explanation" });
  const legend = h(
    "p", { class: "legend" },
    h("span", { class: "words" }, "Whoever stands at the left reaches whoever stands above, on: "),
    ...Object.entries(KINDS).map(([kind, it]) => h("span", { class: "key" }, mark(kind as Cell["kind"]), ` ${it.words}`)),
    h("span", { class: "key" }, h("span", { class: "mark none" }, "·"), " nothing"),
  );
  const scroll = h("div", { class: "matrix-scroll", tabindex: "-1" }, table);
  const root = h("div", { class: "pane matrix-pane" }, h("div", { class: "bar" }, legend, filter), scroll, note, detail);

  let ends: End[] = [];
  let [rows, columns]: [Line[], Line[]] = [[], []];
  let cells = new Map<string, Cell>();
  /** What is drawn, to leave it alone where nothing of it has changed. */
  let drawnAs = "";
  /** Counts drawings: cells that come for an older one are not shown. */
  let drawn = 0;
  let chosen: { from: string; to: string } | null = null;

  const key = (end: End) => `${end.kind} ${end.name}`;

  function lines(axis: Axis): Line[] {
    const wanted = filter.value.trim().toLowerCase();
    const found: Line[] = [];
    const visit = (end: End, depth: number, trail: Set<number>) => {
      if (trail.has(end.id)) return;
      const opens = end.members.length > 0;
      const isOpen = opens && open[axis].has(key(end));
      found.push({ end, depth, open: opens ? isOpen : null });
      if (!isOpen) return;
      for (const id of end.members) {
        const member = ends[id];
        if (member) visit(member, depth + 1, new Set(trail).add(end.id));
      }
    };
    if (wanted) {
      for (const end of ends) {
        if (end.name.toLowerCase().includes(wanted)) found.push({ end, depth: 0, open: null });
      }
      return found;
    }
    for (const end of ends) if (end.top) visit(end, 0, new Set());
    return found;
  }

  function header(line: Line, axis: Axis): HTMLElement {
    const { end } = line;
    const toggle = () => {
      const set = open[axis];
      if (!set.delete(key(end))) set.add(key(end));
      void draw().then(() => {
        const toggles = [...root.querySelectorAll<HTMLElement>("[data-toggle]")];
        toggles.find((it) => it.dataset["toggle"] === `${axis} ${key(end)}`)?.focus();
      });
    };
    const name = h("span", { class: "name", title: end.name }, end.name);
    const size = end.size > 1 ? h("span", { class: "size" }, `${end.size}`) : null;
    const inner = line.open === null
      ? h("span", { class: "end" }, h("span", { class: `kind ${end.kind}`, "aria-hidden": "true" }), name, size)
      : h(
          "button",
          {
            type: "button", class: "end", "aria-expanded": String(line.open), onclick: toggle,
            "data-toggle": `${axis} ${key(end)}`, title: `${line.open ? "Close" : "Open"} ${end.name}`,
          },
          h("span", { class: "arrow", "aria-hidden": "true" }, line.open ? "▾" : "▸"),
          h("span", { class: `kind ${end.kind}`, "aria-hidden": "true" }), name, size,
        );
    return h("th", { scope: axis === "rows" ? "row" : "col", class: `depth-${Math.min(line.depth, 3)}` }, inner);
  }

  async function draw(): Promise<void> {
    const drawing = ++drawn;
    const [allRows, allColumns] = [lines("rows"), lines("columns")];
    const [shownRows, shownColumns] = [allRows.slice(0, MAX_SHOWN), allColumns.slice(0, MAX_SHOWN)];
    const ids = (all: Line[]) => Uint32Array.from(all, (it) => it.end.id);
    const found = await model.compiler.ask("cells", ids(shownRows), ids(shownColumns)).catch(() => []);
    if (drawing !== drawn) return;
    [rows, columns] = [shownRows, shownColumns];
    cells = new Map(found.map((it) => [`${it.from} ${it.to}`, it]));
    const look = (all: Line[]) => all.map((it) => [it.end.id, it.end.name, it.end.size, it.depth, it.open]);
    const drawnNow = JSON.stringify([look(rows), look(columns), found.map((it) => [it.from, it.to, it.kind, it.summary])]);
    if (drawnNow !== drawnAs) {
      drawnAs = drawnNow;
      drawTable();
    }
    explainAgain();
    const hidden = Math.max(0, allRows.length - MAX_SHOWN) + Math.max(0, allColumns.length - MAX_SHOWN);
    fill(note, ends.length === 0
      ? "There are no devices yet."
      : hidden > 0
        ? `${count(Math.max(allRows.length, allColumns.length), "name")}; the first ${MAX_SHOWN} are shown. Filter to find others.`
        : allRows.length === 0 ? "No name has this text." : null);
  }

  function drawTable(): void {
    const active = document.activeElement as HTMLElement | null;
    const at = table.contains(active) && active?.matches(".cell") ? [active.dataset["x"], active.dataset["y"]] : null;
    const head = h("thead", {}, h("tr", {}, h("td", { class: "corner" }), ...columns.map((it) => header(it, "columns"))));
    const body = h("tbody", {}, ...rows.map((row, y) =>
      h("tr", {}, header(row, "rows"), ...columns.map((column, x) => cellElement(row.end, column.end, x, y)))));
    fill(table, head, body);
    if (at) focusCell(Number(at[0]), Number(at[1]));
  }

  function cellElement(from: End, to: End, x: number, y: number): HTMLElement {
    const cell = cells.get(`${from.id} ${to.id}`);
    const own = from.id === to.id && from.size === 1;
    const words = cell ? `${from.name} reaches ${to.name}: ${cell.summary}` : own ? `${from.name} itself` : `${from.name} does not reach ${to.name}`;
    const element = h("td", { class: `cell ${cell?.kind ?? (own ? "own" : "none")}`, title: words, "aria-label": words, tabindex: x + y === 0 ? 0 : -1 },
      cell ? KINDS[cell.kind].letter : own ? "" : "·");
    [element.dataset["x"], element.dataset["y"]] = [String(x), String(y)];
    if (chosen?.from === from.name && chosen.to === to.name) element.setAttribute("aria-selected", "true");
    return element;
  }

  function explain(element: HTMLElement): void {
    const [from, to] = [rows[Number(element.dataset["y"])]?.end, columns[Number(element.dataset["x"])]?.end];
    if (!from || !to) return;
    chosen = { from: from.name, to: to.name };
    for (const it of table.querySelectorAll("[aria-selected]")) it.removeAttribute("aria-selected");
    element.setAttribute("aria-selected", "true");
    const cell = cells.get(`${from.id} ${to.id}`);
    model.light(cell?.lines ?? [], true);
    fill(detail, explanation(model, from, to, cell));
  }

  /** The explanation of the chosen cell, as the newest result has it. */
  function explainAgain(): void {
    const named = (name: string | undefined) => ends.find((it) => it.name === name);
    const [from, to] = [named(chosen?.from), named(chosen?.to)];
    if (from && to) fill(detail, explanation(model, from, to, cells.get(`${from.id} ${to.id}`)));
    else fill(detail, h("p", { class: "dim" }, "Choose a cell to see why."));
  }

  function focusCell(x: number, y: number): void {
    const next = table.querySelector<HTMLElement>(`.cell[data-x="${x}"][data-y="${y}"]`);
    if (!next) return;
    table.querySelector('.cell[tabindex="0"]')?.setAttribute("tabindex", "-1");
    next.tabIndex = 0;
    next.focus();
  }

  table.addEventListener("click", (event) => {
    const at = (event.target as HTMLElement).closest<HTMLElement>(".cell");
    if (!at) return;
    focusCell(Number(at.dataset["x"]), Number(at.dataset["y"]));
    explain(at);
  });
  // One stop for Tab, arrows within: a table of a thousand cells would else be a thousand stops.
  table.addEventListener("keydown", (event) => {
    const at = (event.target as HTMLElement).closest<HTMLElement>(".cell");
    if (!at) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) focusCell(Number(at.dataset["x"]) + (step[0] ?? 0), Number(at.dataset["y"]) + (step[1] ?? 0));
    else if (event.key === "Enter" || event.key === " ") explain(at);
    else return;
    event.preventDefault();
  });

  return {
    id: "matrix",
    title: "Who reaches whom",
    root,
    show() {
      if (!model.result || ends === model.result.ends) return;
      ends = model.result.ends;
      void draw();
    },
  };
}

function mark(kind: Cell["kind"]): HTMLElement {
  return h("span", { class: `mark ${kind}`, "aria-hidden": "true" }, KINDS[kind].letter);
}

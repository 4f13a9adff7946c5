// The map: whoever sends at the left, devices in the middle, networks at the right, and a line for
// each access. A click on an end lights its paths.

import type { Cell, End } from "../../../pkg/web/aclc.js";
import { fill, h, later, svg } from "../dom.ts";
import type { Model, Pane } from "../model.ts";
import { explanation } from "./explanation.ts";
import { type Camera, camera } from "./camera.ts";

/** At most so many ends are drawn at once; a filter finds the others. */
const MAX_SHOWN = 60;

const COLUMN: Record<End["kind"], number> = { user: 0, group: 0, tag: 1, device: 1, subnet: 2, internet: 2 };
const [HEIGHT, GAP_Y] = [32, 12];
/** How wide an end and the space between columns are, and how many letters fit: on a phone less. */
let [WIDTH, GAP_X, LETTERS] = [160, 72, 22];

interface Spot {
  end: End;
  x: number;
  y: number;
}

export function mapPane(model: Model): Pane {
  const filter = h("input", {
    type: "search", placeholder: "Filter names", "aria-label": "Show only names with this text", class: "filter",
    oninput: later(120, () => void draw(true)),
  });
  const edges = svg("g", { class: "edges" });
  const nodes = svg("g", { class: "nodes" });
  const world = svg("g", {}, edges, nodes);
  const drawing = svg("svg", { class: "map", role: "group", "aria-label": "Map of who reaches whom" }, arrows(), world);
  const view: Camera = camera(drawing, world);
  const zoom = (sign: string, words: string, run: () => void) =>
    h("button", { type: "button", class: "quiet", title: words, "aria-label": words, onclick: run }, sign);
  const detail = h("section", { class: "detail", "aria-live": "polite", "aria-label": "Explanation" });
  const note = h("p", { class: "dim note" });
  const root = h(
    "div", { class: "pane map-pane" },
    h(
      "div", { class: "bar" },
      h("p", { class: "legend" },
        h("span", { class: "key" }, h("span", { class: "stroke all", "aria-hidden": "true" }), " every port"),
        h("span", { class: "key" }, h("span", { class: "stroke some", "aria-hidden": "true" }), " some ports"),
        h("span", { class: "key" }, h("span", { class: "stroke conditional", "aria-hidden": "true" }), " depends")),
      filter,
      zoom("+", "Nearer", () => view.zoom(1.25)), zoom("−", "Farther", () => view.zoom(0.8)), zoom("Fit", "Fit everything in", () => fit()),
    ),
    h("div", { class: "map-frame" }, drawing), note, detail,
  );

  let all: End[] = [];
  let cells: Cell[] = [];
  /** Counts drawings: lines that come for an older one are not shown. */
  let drawn = 0;
  let spots = new Map<number, Spot>();
  let chosen: string | null = null;
  /** Where a person put an end, by its name. */
  const moved = new Map<string, { x: number; y: number }>();

  /** What is drawn: all ends at the top, or those with the text and whoever is beside them. */
  function wanted(): End[] {
    const text = filter.value.trim().toLowerCase();
    const top = all.filter((it) => it.top);
    if (!text) return top;
    const found = all.filter((it) => it.name.toLowerCase().includes(text)).slice(0, MAX_SHOWN / 2);
    return [...found, ...top.filter((it) => !found.includes(it))];
  }

  /** Of what was looked for, whoever has no line to it is left out. */
  function related(ends: End[]): End[] {
    const text = filter.value.trim().toLowerCase();
    if (!text) return ends;
    const found = new Set(ends.filter((it) => it.name.toLowerCase().includes(text)).map((it) => it.id));
    const beside = new Set(cells.flatMap((it) => (found.has(it.from) || found.has(it.to) ? [it.from, it.to] : [])));
    return ends.filter((it) => found.has(it.id) || beside.has(it.id));
  }

  function place(ends: End[]): void {
    const columns: End[][] = [[], [], []];
    for (const it of ends) columns[COLUMN[it.kind]]?.push(it);
    const used = columns.filter((it) => it.length > 0);
    const tallest = Math.max(...used.map((it) => it.length), 1);
    spots = new Map();
    used.forEach((column, x) => {
      const top = ((tallest - column.length) * (HEIGHT + GAP_Y)) / 2;
      column.forEach((end, y) => {
        const own = moved.get(end.name);
        spots.set(end.id, { end, x: own?.x ?? x * (WIDTH + GAP_X), y: own?.y ?? top + y * (HEIGHT + GAP_Y) });
      });
    });
  }

  async function draw(refit: boolean): Promise<void> {
    const turn = ++drawn;
    const candidates = wanted();
    const asked = candidates.slice(0, MAX_SHOWN);
    const ids = Uint32Array.from(asked, (it) => it.id);
    const found = await model.compiler.ask("cells", ids, ids).catch(() => []);
    if (turn !== drawn) return;
    cells = found;
    const ends = related(asked);
    [WIDTH, GAP_X, LETTERS] = drawing.clientWidth < 480 ? [112, 20, 15] : [160, 72, 22];
    place(ends);
    fill(nodes, ...ends.map((end, at) => nodeElement(end, at === 0)));
    drawEdges();
    fill(note, candidates.length > asked.length ? `${candidates.length} ends; the first ${MAX_SHOWN} are shown. Filter to find others.` : null);
    if (!detail.hasChildNodes()) fill(detail, hint());
    if (refit) fit();
  }

  function drawEdges(): void {
    const visible = cells.filter((it) => it.from !== it.to && spots.has(it.from) && spots.has(it.to));
    const placed = [...spots.values()];
    const paths = visible.map((it) => edgeElement(it, placed));
    fill(edges, ...paths);
    light();
  }

  function edgeElement(cell: Cell, placed: Spot[]): SVGElement {
    const [from, to] = [spots.get(cell.from) as Spot, spots.get(cell.to) as Spot];
    const path = svg("path", {
      d: curve(from, to, placed), class: `edge ${cell.kind}`, "marker-end": "url(#arrow)",
      "data-from": cell.from, "data-to": cell.to, onclick: () => explain(cell),
    });
    path.append(svg("title", {}, `${from.end.name} reaches ${to.end.name}: ${cell.summary}`));
    return path;
  }

  function explain(cell: Cell): void {
    const [from, to] = [all[cell.from], all[cell.to]];
    if (!from || !to) return;
    model.light(cell.lines, true);
    for (const it of edges.children) it.classList.toggle("lit", it.getAttribute("data-from") === String(cell.from) && it.getAttribute("data-to") === String(cell.to));
    drawing.classList.add("focused");
    fill(detail, explanation(model, from, to, cell));
  }

  function nodeElement(end: End, tabbed: boolean): SVGElement {
    const spot = spots.get(end.id) as Spot;
    const label = end.size > 1 ? `${end.name} (${end.size})` : end.name;
    const short = label.length > LETTERS ? `${label.slice(0, LETTERS - 1)}…` : label;
    const node = svg(
      "g",
      {
        class: `node ${end.kind}`, transform: `translate(${spot.x} ${spot.y})`, tabindex: tabbed ? 0 : -1, role: "button",
        "aria-label": `${end.name}: show its paths`, "aria-pressed": String(chosen === end.name), "data-id": end.id,
      },
      svg("rect", { width: WIDTH, height: HEIGHT, rx: end.kind === "user" || end.kind === "group" ? 16 : 4 }),
      svg("text", { x: WIDTH / 2, y: HEIGHT / 2 + 4, "text-anchor": "middle" }, short),
      svg("title", {}, label),
    );
    view.drags(node, () => choose(end), (dx, dy) => {
      spot.x += dx;
      spot.y += dy;
      moved.set(end.name, { x: spot.x, y: spot.y });
      node.setAttribute("transform", `translate(${spot.x} ${spot.y})`);
      drawEdges();
    });
    return node;
  }

  function choose(end: End): void {
    chosen = chosen === end.name ? null : end.name;
    light();
    if (!chosen) return fill(detail, hint());
    const list = (of: (cell: Cell) => boolean, other: (cell: Cell) => number, words: string) => {
      const names = cells.filter((it) => it.from !== it.to && of(it) && spots.has(other(it))).map((it) => `${all[other(it)]?.name} (${it.summary})`);
      return h("p", {}, h("strong", {}, `${words} `), names.length === 0 ? "nobody" : names.slice(0, 12).join(", "), names.length > 12 ? ` and ${names.length - 12} more` : null);
    };
    fill(detail, h("h2", {}, end.name), list((it) => it.from === end.id, (it) => it.to, "reaches"), list((it) => it.to === end.id, (it) => it.from, "is reached by"));
    const lines = cells.filter((it) => it.from === end.id || it.to === end.id).flatMap((it) => it.lines);
    model.light(lines.slice(0, 200), true);
  }

  /** Lights the lines of the chosen end, and dims the others. */
  function light(): void {
    const id = [...spots.values()].find((it) => it.end.name === chosen)?.end.id;
    drawing.classList.toggle("focused", id !== undefined);
    const beside = new Set<string>();
    for (const it of edges.children) {
      const [from, to] = [it.getAttribute("data-from") ?? "", it.getAttribute("data-to") ?? ""];
      const lit = String(id) === from || String(id) === to;
      it.classList.toggle("lit", lit);
      if (lit) beside.add(from).add(to);
    }
    for (const it of nodes.children) {
      it.classList.toggle("lit", beside.has(it.getAttribute("data-id") ?? ""));
      it.setAttribute("aria-pressed", String(it.getAttribute("data-id") === String(id)));
    }
  }

  function fit(): void {
    const placed = [...spots.values()];
    if (placed.length === 0) return;
    const [xs, ys] = [placed.map((it) => it.x), placed.map((it) => it.y)];
    view.fit(Math.min(...xs), Math.min(...ys), Math.max(...xs) + WIDTH, Math.max(...ys) + HEIGHT);
  }

  nodes.addEventListener("keydown", (event) => {
    const drawnNodes = [...nodes.children] as SVGGElement[];
    const at = drawnNodes.indexOf((event.target as Element).closest("g.node") as SVGGElement);
    const end = all[Number(drawnNodes[at]?.getAttribute("data-id"))];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (end) choose(end);
      return;
    }
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const next = step && drawnNodes[at + step];
    if (!next) return;
    event.preventDefault();
    drawnNodes[at]?.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });

  return {
    id: "map",
    title: "Map",
    root,
    show() {
      if (!model.result || all === model.result.ends) return;
      const first = all.length === 0;
      all = model.result.ends;
      void draw(first);
    },
  };
}

function hint(): HTMLElement {
  return h("p", { class: "dim" }, "Choose an end to light its paths; drag to move, turn the wheel to zoom.");
}

function arrows(): SVGElement {
  return svg(
    "defs", {},
    svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, orient: "auto-start-reverse" },
      svg("path", { d: "M0 0 8 4 0 8z", class: "arrow-head" })),
  );
}

/** How far a line stays away from a box that it is not about. */
const CLEAR = 6;

/**
 * A curve from the side of one box to the side of another; within a column it goes round. Past a column
 * in between it goes through the space between two boxes: behind a box it would look like that box's own.
 */
function curve(from: Spot, to: Spot, placed: Spot[]): string {
  const [y1, y2] = [from.y + HEIGHT / 2, to.y + HEIGHT / 2];
  if (Math.abs(from.x - to.x) < WIDTH) {
    const x = from.x + WIDTH;
    const bow = 24 + Math.min(60, Math.abs(y1 - y2) / 4);
    return `M${x} ${y1 - 4}C${x + bow} ${y1 - 4} ${to.x + WIDTH + bow} ${y2 + 4} ${to.x + WIDTH} ${y2 + 4}`;
  }
  const forward = to.x > from.x;
  const [x1, x2] = forward ? [from.x + WIDTH, to.x] : [from.x, to.x + WIDTH];
  const half = (x2 - x1) / 2;
  const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
  const between = placed.filter((it) => it.x > left && it.x + WIDTH < right);
  if (between.length > 0) {
    // Lines that share a space lie beside each other.
    const y = passage(between, (y1 + y2) / 2) + (((from.end.id + to.end.id) % 3) - 1) * 3;
    const xs = between.map((it) => it.x);
    const [near, far] = [Math.min(...xs) - CLEAR, Math.max(...xs) + WIDTH + CLEAR];
    const [a, b] = forward ? [near, far] : [far, near];
    const [in_, out] = [(a - x1) / 2, (x2 - b) / 2];
    return `M${x1} ${y1}C${x1 + in_} ${y1} ${a - in_} ${y} ${a} ${y}L${b} ${y}C${b + out} ${y} ${x2 - out} ${y2} ${x2} ${y2}`;
  }
  return `M${x1} ${y1}C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}`;
}

/** The height of the space above, between or below boxes that is nearest to `wanted`. */
function passage(boxes: Spot[], wanted: number): number {
  const tops = boxes.map((it) => it.y).sort((a, b) => a - b);
  const [first, last] = [tops[0] ?? 0, tops.at(-1) ?? 0];
  const spaces = [first - CLEAR, last + HEIGHT + CLEAR];
  tops.slice(1).forEach((top, at) => {
    const end = (tops[at] ?? 0) + HEIGHT;
    if (top - end >= CLEAR) spaces.push((top + end) / 2);
  });
  return spaces.reduce((best, it) => (Math.abs(it - wanted) < Math.abs(best - wanted) ? it : best));
}

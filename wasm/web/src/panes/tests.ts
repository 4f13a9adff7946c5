// The policy's own tests: each with its verdict, and which rules none of them makes use of.

import type { Tests } from "../../../pkg/web/aclc.js";
import { count, fill, h, sentence } from "../dom.ts";
import type { Model, Pane } from "../model.ts";
import { markUnused } from "../editor/marks.ts";

export function testsPane(model: Model): Pane {
  const root = h("div", { class: "pane" });
  let shown = -1;

  async function draw(): Promise<void> {
    try {
      const tests = await model.compiler.ask("tests");
      markUnused(model.policy, tests.unused.map((it) => it.place.line));
      fill(root, ...view(model, tests));
    } catch (error) {
      fill(root, h("p", { class: "dim" }, (error as Error).message));
    }
  }

  return {
    id: "tests",
    title: "Tests",
    root,
    show() {
      if (shown === model.generation) return;
      shown = model.generation;
      void draw();
    },
  };
}

function view(model: Model, tests: Tests): HTMLElement[] {
  const all = tests.assertions.length;
  const holds = tests.assertions.filter((it) => it.holds === true).length;
  const open = tests.assertions.filter((it) => it.holds === null).length;
  const said = all === 0
    ? "The policy has no tests. An entry in `tests` says who must and must not be let through."
    : holds === all ? `${count(all, "test")}, all hold` : `${holds} of ${count(all, "test")} hold${open ? `, ${open} left open` : ""}`;
  const { coverage } = tests;
  const parts: HTMLElement[] = [h("p", { class: "legend" }, ...sentence(said), coverage && all > 0
    ? `; they make use of ${coverage.rulesUsed} of ${count(coverage.rules, "rule")}, those of SSH among them, and ${coverage.destinationsUsed} of ${count(coverage.destinations, "destination")}` : null)];
  if (all > 0) parts.push(list(model, tests));
  if (tests.unused.length > 0) parts.push(gaps(model, tests));
  return parts;
}

function list(model: Model, tests: Tests): HTMLElement {
  const row = (it: Tests["assertions"][number]) => {
    const [shape, word] = it.holds === true ? ["✓", "holds"] : it.holds === false ? ["✕", "fails"] : ["?", "left open"];
    const look = it.holds === true ? "allowed" : it.holds === false ? "denied" : "depends";
    return h(
      "tr", {},
      h("td", {}, h("span", { class: `badge ${look}` }, h("span", { "aria-hidden": "true" }, shape), ` ${word}`)),
      h("td", {}, h("code", {}, it.name), it.message ? h("div", { class: "wrong" }, ...sentence(it.message)) : null),
      h("td", {}, placeButton(model, it.place)),
    );
  };
  return h(
    "table", { class: "rows" },
    h("thead", {}, h("tr", {}, ...["Verdict", "Test", "Where"].map((it) => h("th", { scope: "col" }, it)))),
    h("tbody", {}, ...tests.assertions.slice(0, 500).map(row)),
  );
}

function gaps(model: Model, tests: Tests): HTMLElement {
  const item = (it: Tests["unused"][number]) =>
    h("li", {}, placeButton(model, it.place), " ", ...sentence(it.message), it.help ? h("div", { class: "dim" }, ...sentence(it.help)) : null);
  return h(
    "section", { "aria-label": "What no test makes use of" },
    h("h2", {}, "What no test makes use of", h("span", { class: "dim" }, " (○ in the margin of the policy)")),
    h("ul", { class: "plain" }, ...tests.unused.slice(0, 200).map(item)),
  );
}

function placeButton(model: Model, place: { from: number; to: number; line: number }): HTMLElement {
  const go = () => {
    model.light([place.line], true);
    model.jump("policy", place.from, place.from);
  };
  return h("button", { type: "button", class: "line", onclick: go }, `line ${place.line}`);
}

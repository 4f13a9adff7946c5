// What is wrong or surprising, as a list that leads to the place.

import type { Finding } from "../../../pkg/web/aclc.js";
import { count, fill, h } from "../dom.ts";
import { applyEdits, words } from "../editor/findings.ts";
import type { Model, Side } from "../model.ts";
import { explainCode } from "../page/codes.ts";

const SHAPES = { error: "✕", warning: "!", note: "i" } as const;
/** At most so many are listed; the first are the ones to mend. */
const MAX_SHOWN = 100;

export interface Problems {
  root: HTMLElement;
  show(): void;
}

export function problems(model: Model): Problems {
  const heading = h("h2", { class: "problems-title" }, "Problems");
  const list = h("ul", { class: "problems" });
  const root = h("section", { class: "problems-pane", "aria-label": "Problems" }, heading, list);

  function item(side: Side, it: Finding): HTMLElement {
    const go = () => model.jump(side, it.place.from, it.place.to);
    const where = side === "policy" ? `${it.place.line}:${it.place.column}` : `devices ${it.place.line}:${it.place.column}`;
    return h(
      "li", { class: it.severity },
      h("span", { class: `severity ${it.severity}` }, h("span", { "aria-hidden": "true" }, SHAPES[it.severity]), h("span", { class: "hidden" }, it.severity)),
      h("button", { type: "button", class: "problem", onclick: go, title: "Show the place" }, h("span", { class: "where" }, where), words(it)),
      h(
        "span", { class: "acts" },
        ...it.fixes.slice(0, 2).map((fix) =>
          h("button", { type: "button", class: "fix", onclick: () => applyEdits(side === "policy" ? model.policy : model.nodes, fix.edits) }, fix.title.replaceAll("`", ""))),
        h("button", { type: "button", class: "code", title: `What ${it.code} means`, onclick: () => void explainCode(it.code) }, it.code.replace("acl/", "")),
      ),
    );
  }

  return {
    root,
    show() {
      const findings = model.update?.findings;
      if (!findings) return;
      const all: [Side, Finding][] = [
        ...findings.nodes.map((it): [Side, Finding] => ["nodes", it]),
        ...findings.policy.map((it): [Side, Finding] => ["policy", it]),
      ];
      const rank = { error: 0, warning: 1, note: 2 };
      all.sort((a, b) => rank[a[1].severity] - rank[b[1].severity]);
      const { errors, warnings, notes } = findings.summary;
      const number = errors + warnings + notes;
      fill(heading, number === 0 ? "No problems" : count(number, "problem"));
      root.classList.toggle("empty", number === 0);
      fill(
        list,
        ...all.slice(0, MAX_SHOWN).map(([side, it]) => item(side, it)),
        number > MAX_SHOWN ? h("li", { class: "dim" }, `and ${number - MAX_SHOWN} more`) : null,
      );
    },
  };
}

// Why one end reaches another: a sentence, and the rules with their lines.

import type { Cell, End } from "../../../pkg/web/aclc.js";
import { h, sentence } from "../dom.ts";
import type { Model } from "../model.ts";

/** What one cell means. */
export function explanation(model: Model, from: End, to: End, cell: Cell | undefined): HTMLElement {
  const verdict = cell ? { all: "allowed", some: "allowed", conditional: "depends" }[cell.kind] : "denied";
  const says = cell
    ? `\`${from.name}\` reaches \`${to.name}\``
    : `\`${from.name}\` does not reach \`${to.name}\``;
  return h(
    "div", { class: "explanation" },
    h("h2", {}, badge(verdict), " ", ...sentence(says)),
    cell ? h("p", {}, ...sentence(cell.summary)) : h("p", { class: "dim" }, "No rule lets anything through."),
    cell && cell.lines.length > 0 ? ruleList(model, cell.lines) : null,
  );
}

/** A verdict by shape and word, not by colour alone. */
export function badge(verdict: string): HTMLElement {
  const shape = { allowed: "✓", denied: "✕", depends: "?" }[verdict] ?? "?";
  return h("span", { class: `badge ${verdict}` }, h("span", { "aria-hidden": "true" }, shape), ` ${verdict}`);
}

/** Lines of the policy as buttons that show them at the left. */
export function ruleList(model: Model, lines: number[]): HTMLElement {
  const { doc } = model.policy.state;
  const shown = [...new Set(lines)].slice(0, 20);
  const item = (line: number) =>
    h("li", {}, lineButton(model, line), " ", h("code", { class: "rule" }, ruleText(model, line)));
  return h(
    "ul", { class: "rules", "aria-label": "Rules" },
    ...shown.filter((it) => it <= doc.lines).map(item),
    lines.length > shown.length ? h("li", { class: "dim" }, `and ${lines.length - shown.length} more`) : null,
  );
}

/** A button with the number of a line. */
export function lineButton(model: Model, line: number): HTMLElement {
  const go = () => {
    model.light([line], true);
    if (line <= model.policy.state.doc.lines) model.jump("policy", model.policy.state.doc.line(line).from);
  };
  return h("button", { type: "button", class: "line", title: `Show line ${line} of the policy`, onclick: go }, `line ${line}`);
}

/** The beginning of a rule, as much as fits on a line. */
function ruleText(model: Model, line: number): string {
  const { doc } = model.policy.state;
  let text = "";
  for (let at = line; at <= Math.min(line + 5, doc.lines) && text.length < 100; at++) {
    text += ` ${doc.line(at).text.trim()}`;
    if (/\}[,\]]*\s*$/.test(doc.line(at).text)) break;
  }
  return text.trim().slice(0, 140);
}

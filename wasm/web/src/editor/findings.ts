// Findings of the module as the editor shows them: a line under the place, the words on hover, the
// fixes as buttons.

import { type Action, type Diagnostic, setDiagnostics } from "@codemirror/lint";
import type { EditorView } from "@codemirror/view";
import type { Edit, Finding, Fix } from "../../../pkg/web/aclc.js";
import { h, sentence } from "../dom.ts";

const severities = { error: "error", warning: "warning", note: "info" } as const;

/** Shows these findings and no others. */
export function showFindings(view: EditorView, findings: Finding[]): void {
  const end = view.state.doc.length;
  const diagnostics = findings.map((it) => {
    const from = Math.min(it.place.from, end);
    const diagnostic: Diagnostic = {
      from,
      to: Math.min(Math.max(it.place.to, from), end),
      severity: severities[it.severity],
      source: it.code,
      message: it.message,
      renderMessage: () => words(it),
      actions: it.fixes.map(action),
    };
    return diagnostic;
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** The sentence of a finding, what is wrong at the place, and what to do. */
export function words(finding: Finding): HTMLElement {
  return h(
    "div",
    { class: "finding" },
    h("div", {}, ...sentence(finding.message)),
    finding.label && h("div", { class: "dim" }, ...sentence(finding.label)),
    finding.help && h("div", {}, "→ ", ...sentence(finding.help)),
    finding.api && h("div", { class: "dim" }, "Tailscale answers: ", h("q", {}, finding.api)),
  );
}

function action(fix: Fix): Action {
  return { name: fix.title.replaceAll("`", ""), apply: (view) => applyEdits(view, fix.edits) };
}

/** Makes edits of the module in the text, as one step that can be undone. */
export function applyEdits(view: EditorView, edits: Edit[]): void {
  const end = view.state.doc.length;
  if (edits.some((it) => it.from > it.to || it.to > end)) return;
  view.dispatch({
    changes: edits.map((it) => ({ from: it.from, to: it.to, insert: it.text })),
    userEvent: "input.fix",
  });
}

// What an edit changes: access gained and lost from a base to the policy at the left.

import type { EditorView } from "@codemirror/view";
import type { Access, Changes } from "../../../pkg/web/aclc.js";
import { count, fill, h, later, sentence } from "../dom.ts";
import { editor, replaceText } from "../editor/editor.ts";
import type { Model, Pane } from "../model.ts";
import { readFile, takesDrops } from "../page/files.ts";
import { lineButton } from "./explanation.ts";

export interface ComparePane extends Pane {
  /** Takes another base. */
  setBase(text: string): void;
}

export function comparePane(model: Model): ComparePane {
  const drawLater = later(200, () => void draw());
  const base: EditorView = editor("The policy to compare with", "", () => drawLater());
  const over = h(
    "select", { "aria-label": "Over which devices", onchange: () => void draw() },
    h("option", { value: "devices" }, "over the devices"),
    h("option", { value: "all" }, "over all possible tailnets"),
  );
  const keep = h("button", { type: "button", onclick: () => setBase(model.policy.state.doc.toString()) }, "Take the policy as it is now");
  const open = h("button", { type: "button", class: "quiet", onclick: () => void readFile().then((it) => it && setBase(it.text)) }, "Open a file");
  const answer = h("section", { class: "answer", "aria-live": "polite", "aria-label": "Changes" });
  const frame = h("div", { class: "base-editor" }, base.dom);
  const root = h(
    "div", { class: "pane compare" },
    h("p", { class: "legend" }, "Paste or drop here what the policy was, then edit it. Access gained and lost:"),
    h("div", { class: "bar" }, keep, open, over),
    answer, frame,
  );
  takesDrops(root, (_, text) => setBase(text));
  let shown = -1;
  let lit: number[] = [];

  function setBase(text: string): void {
    replaceText(base, text);
    void draw();
  }

  async function draw(): Promise<void> {
    const text = base.state.doc.toString();
    if (!text.trim()) return fill(answer, h("p", { class: "dim" }, "There is nothing to compare with yet."));
    try {
      const changes = await model.compiler.ask("diff", text, over.value === "devices");
      lit = changes.gained.flatMap((it) => it.rules.map((rule) => rule.line));
      model.light(lit);
      fill(answer, ...view(model, changes));
    } catch (error) {
      fill(answer, h("p", { class: "wrong" }, (error as Error).message));
    }
  }

  return {
    id: "compare",
    title: "Compare",
    root,
    setBase,
    show() {
      if (shown === model.generation) return;
      shown = model.generation;
      void draw();
    },
    relight: () => model.light(lit),
  };
}

function view(model: Model, { gained, lost }: Changes): HTMLElement[] {
  if (gained.length + lost.length === 0) return [h("p", {}, h("strong", {}, "Access does not change."))];
  const row = (mark: "+" | "−") => (it: Access) =>
    h(
      "tr", { class: mark === "+" ? "gained" : "lost" },
      h("td", {}, h("span", { class: `badge ${mark === "+" ? "allowed" : "denied"}` }, mark, mark === "+" ? " gained" : " lost")),
      h("td", {}, names(it.src)),
      h("td", {}, names(it.dst)),
      h("td", {}, what(it), it.posture.length > 0 ? h("span", { class: "dim" }, ` with ${it.posture.join(" or ")}`) : null),
      h("td", {}, ...it.rules.slice(0, 4).map((rule) => (mark === "+" ? lineButton(model, rule.line) : h("span", { class: "dim" }, `base line ${rule.line} `)))),
    );
  return [
    h("p", {}, `${count(gained.length, "row")} gained, ${lost.length} lost.`),
    h(
      "table", { class: "rows" },
      h("thead", {}, h("tr", {}, ...["", "Who", "Whom", "On", "Rule"].map((it) => h("th", { scope: "col" }, it || h("span", { class: "hidden" }, "Change"))))),
      h("tbody", {}, ...gained.slice(0, 300).map(row("+")), ...lost.slice(0, 300).map(row("−"))),
    ),
  ];
}

function names(all: string[]): HTMLElement {
  const text = all.length > 6 ? `${all.slice(0, 6).join(", ")} and ${all.length - 6} more` : all.join(", ");
  return h("span", { title: all.slice(0, 60).join(", ") }, text);
}

function what(it: Access): HTMLElement {
  const text = it.kind === "network"
    ? `${it.protocol === "icmp,tcp,udp,ipv6-icmp" ? "any" : it.protocol} ${it.ports === "*" ? "every port" : it.ports}`
    : it.kind === "app" ? `capability \`${it.name}\`` : `SSH as \`${it.name}\`${it.kind === "ssh-check" ? " after a fresh login" : ""}`;
  return h("span", {}, ...sentence(text));
}

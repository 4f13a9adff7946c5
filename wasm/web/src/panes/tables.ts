// The table of one device: a sentence for each line, or the JSON that the control plane sends.

import type { Sentence } from "../../../pkg/web/aclc.js";
import { fill, h } from "../dom.ts";
import type { Model, Pane } from "../model.ts";
import { lineButton } from "./explanation.ts";

const KINDS = { network: "reaches it on", app: "may use", ssh: "may log in as" } as const;

export function tablesPane(model: Model): Pane {
  const devices = h("select", { "aria-label": "Device", onchange: () => void draw() });
  const form = h(
    "select", { "aria-label": "Form of the table", onchange: () => void draw() },
    h("option", { value: "sentences" }, "as sentences"),
    h("option", { value: "json" }, "as sent on the wire"),
  );
  const copy = h("button", { type: "button", class: "quiet", hidden: true }, "Copy");
  const body = h("div", { class: "table-body", tabindex: "0", role: "region", "aria-label": "Table of the device" });
  const root = h("div", { class: "pane" }, h("div", { class: "bar" }, h("label", {}, "What ", devices, " lets in, "), form, copy), body);
  let shown = -1;
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(body.textContent ?? "").then(() => model.say("copied"));
  });

  async function draw(): Promise<void> {
    const device = devices.value;
    copy.hidden = form.value !== "json";
    if (!device) return fill(body, h("p", { class: "dim" }, "There are no devices yet."));
    try {
      if (form.value === "json") {
        const text = await model.compiler.ask("compile", device, undefined);
        const table = (JSON.parse(text) as { nodes: Record<string, unknown> }).nodes[device];
        const whole = JSON.stringify(table, null, 2);
        fill(body, h("pre", { class: "wire" }, whole.length > 300_000 ? `${whole.slice(0, 300_000)}\n… ${whole.length - 300_000} characters more` : whole));
      } else {
        fill(body, sentences(model, await model.compiler.ask("sentences", device)));
      }
    } catch (error) {
      fill(body, h("p", { class: "dim" }, (error as Error).message));
    }
  }

  return {
    id: "tables",
    title: "Tables",
    root,
    show() {
      if (!model.result || shown === model.generation) return;
      shown = model.generation;
      const before = devices.value;
      const names = model.result.devices.map((it) => it.name);
      fill(devices, ...names.map((it) => h("option", { value: it }, it)));
      if (names.includes(before)) devices.value = before;
      void draw();
    },
  };
}

function sentences(model: Model, all: Sentence[]): HTMLElement {
  if (all.length === 0) return h("p", {}, "Nothing: nobody is let in.");
  const row = (it: Sentence) =>
    h(
      "tr", {},
      h("td", {}, who(it.who)),
      h("td", {}, `${KINDS[it.kind]} `, h("strong", {}, it.what), it.at.length > 0 ? h("span", { class: "dim" }, ` at ${it.at.join(", ")}`) : null),
      h("td", {}, ...it.lines.slice(0, 8).map((line) => lineButton(model, line))),
    );
  return h(
    "table", { class: "rows" },
    h("thead", {}, h("tr", {}, ...["Who", "What", "Why"].map((it) => h("th", { scope: "col" }, it)))),
    h("tbody", {}, ...all.slice(0, 400).map(row)),
    all.length > 400 ? h("caption", { class: "below" }, `and ${all.length - 400} lines more: see them as sent on the wire`) : null,
  );
}

function who(names: string[]): HTMLElement {
  if (names.length === 0) return h("span", { class: "dim" }, "nobody");
  const few = names.slice(0, 6);
  const rest = names.slice(6);
  if (rest.length === 0) return h("span", {}, few.join(", "));
  return h("details", {}, h("summary", {}, `${few.join(", ")} and ${rest.length} more`), rest.join(", "));
}

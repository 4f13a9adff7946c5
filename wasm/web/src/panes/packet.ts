// One packet: may it pass, and why.

import type { Why } from "../../../pkg/web/aclc.js";
import { fill, h, later, sentence } from "../dom.ts";
import { knownNames, type Model, type Pane } from "../model.ts";
import { badge, ruleList } from "./explanation.ts";

const PROTOCOLS = ["tcp", "udp", "icmp", "sctp"];

export function packetPane(model: Model): Pane {
  const names = h("datalist", { id: "names" });
  const ask = later(150, () => void run());
  const input = (label: string, name: string, width: number) =>
    h("label", {}, h("span", {}, label), h("input", { type: "text", name, size: width, list: name === "port" ? null : "names", autocomplete: "off", spellcheck: "false", oninput: ask }));
  const protocol = h("select", { name: "protocol", onchange: ask }, ...PROTOCOLS.map((it) => h("option", { value: it }, it)));
  const port = input("Port", "port", 6);
  const form = h(
    "form", { class: "packet", onsubmit: (event: Event) => (event.preventDefault(), void run()) },
    input("From", "src", 20), input("To", "dst", 20), h("label", {}, h("span", {}, "Protocol"), protocol), port,
    h("button", { type: "submit", class: "main" }, "Try"),
  );
  const answer = h("section", { class: "detail tall", "aria-live": "polite", "aria-label": "Answer" });
  const root = h(
    "div", { class: "pane" },
    h("p", { class: "legend" }, "Would this packet be let through? A name may be a device, a user, a group, a tag or an address."),
    form, names, answer,
  );
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  let shown = -1;
  let lit: number[] = [];

  async function run(): Promise<void> {
    const [src, dst] = [field("src").value.trim(), field("dst").value.trim()];
    port.hidden = protocol.value === "icmp";
    if (!src || !dst) return fill(answer, h("p", { class: "dim" }, "Say from where and to where."));
    const bracketed = dst.includes(":") && /^[0-9a-f:]+$/i.test(dst) ? `[${dst}]` : dst;
    const ports = protocol.value === "icmp" ? "*" : field("port").value.trim() || "*";
    try {
      const why = await model.compiler.ask("why", src, `${bracketed}:${protocol.value}:${ports}`, Date.now());
      lit = why.rules.map((it) => it.line);
      model.light(lit);
      fill(answer, verdict(model, src, dst, why));
    } catch (error) {
      fill(answer, h("p", { class: "wrong" }, ...sentence((error as Error).message)));
    }
  }

  return {
    id: "packet",
    title: "Try a packet",
    root,
    show() {
      if (!model.result || shown === model.generation) return;
      const first = shown === -1;
      shown = model.generation;
      fill(names, ...knownNames(model.result.ends).slice(0, 2000).map((it) => h("option", { value: it })));
      if (first) {
        const { devices } = model.result;
        field("src").value = devices.find((it) => it.user)?.name ?? "";
        field("dst").value = devices.find((it) => it.tags.length > 0)?.name ?? "";
        field("port").value = "443";
      }
      void run();
    },
    relight: () => model.light(lit),
  };
}

function verdict(model: Model, src: string, dst: string, why: Why): HTMLElement {
  const says = { allowed: "can reach", denied: "cannot reach", depends: "may reach" }[why.verdict];
  const list = (items: string[]) => items.map((it) => h("li", {}, ...sentence(it)));
  const partly = why.pairs > 1 ? `${why.allowed} of ${why.pairs} pairs of devices are let through.` : null;
  const lines = (it: { line: number }[]) => it.map((rule) => rule.line);
  return h(
    "div", { class: "explanation" },
    h("h2", {}, badge(why.verdict), " ", ...sentence(`\`${src}\` ${says} \`${dst}\``)),
    partly && h("p", {}, partly),
    why.rules.length > 0 ? h("p", {}, why.verdict === "allowed" ? "Let through by" : "A rule would let it through:") : null,
    why.rules.length > 0 ? ruleList(model, lines(why.rules)) : null,
    why.depends.length > 0 ? h("ul", {}, ...list(why.depends.map((it) => `it depends on ${it}`))) : null,
    why.nearest.length > 0 ? h("p", {}, "What comes near:") : null,
    why.nearest.length > 0 ? h("ul", { class: "plain" }, ...list(why.nearest.map((it) => it.sentence))) : null,
    why.nearest.length > 0 ? ruleList(model, lines(why.nearest)) : null,
    why.beyond.length > 0 ? h("ul", {}, ...list(why.beyond.map((it) => it.sentence))) : null,
    why.verdict === "denied" && why.rules.length + why.nearest.length + why.beyond.length === 0
      ? h("p", { class: "dim" }, "No rule names either of the two for such traffic.") : null,
  );
}

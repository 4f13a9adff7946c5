// The line at the bottom: how much there is, and how long it took.

import { count, fill, h } from "../dom.ts";
import type { Update } from "../protocol.ts";

export function statusLine(): { root: HTMLElement; show(update: Update): void } {
  const text = h("span", {});
  const verdict = h("span", { class: "accepted" });
  const root = h("footer", {}, text, verdict, h("span", {}, "Nothing leaves your browser."));
  return {
    root,
    show({ findings: { summary: it }, milliseconds }) {
      const problems = it.errors + it.warnings + it.notes;
      fill(text, [
        problems === 0 ? "no problems" : count(problems, "problem"), count(it.devices, "device"), count(it.rules, "rule"), `${Math.max(1, Math.round(milliseconds))} ms`,
      ].join(" · "));
      fill(verdict, it.accepted === false ? "✕ Tailscale would refuse this policy" : it.accepted ? "✓ Tailscale would take this policy" : null);
      verdict.title = it.api ?? "";
    },
  };
}

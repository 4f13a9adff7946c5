// Completion and hover: what the module knows about a place in the policy.

import {
  autocompletion, type Completion as Option, type CompletionContext, type CompletionResult, startCompletion,
} from "@codemirror/autocomplete";
import { type EditorView, hoverTooltip } from "@codemirror/view";
import type { Completion } from "../../../pkg/web/aclc.js";
import type { Compiler } from "../compiler.ts";
import { markdown } from "./markdown.ts";

export function assist(compiler: Compiler) {
  return [
    autocompletion({
      override: [(context) => complete(compiler, context)],
      activateOnTyping: true,
      icons: false,
      maxRenderedOptions: 100,
    }),
    hoverTooltip(async (_, position) => {
      const hover = await compiler.ask("hover", position).catch(() => null);
      if (!hover) return null;
      const dom = () => ({ dom: markdown(hover.markdown) });
      return { pos: hover.from, end: hover.to, above: true, create: dom };
    }),
  ];
}

async function complete(compiler: Compiler, context: CompletionContext): Promise<CompletionResult | null> {
  const before = context.matchBefore(/[\w":@.*/-]/);
  if (!context.explicit && !before) return null;
  const found = await compiler.ask("completions", context.pos).catch(() => null);
  if (!found || context.aborted) return null;
  const from = Math.min(...found.items.map((it) => it.from));
  const items = found.items.filter((it) => it.from === from);
  if (items.length === 0) return null;
  return {
    from,
    options: items.map((it, order) => option(it, order, context.pos)),
  };
}

function option(item: Completion, order: number, asked: number): Option {
  return {
    // What is typed is compared with this, quotation marks included.
    label: item.filter,
    displayLabel: item.label,
    type: item.kind,
    boost: -Math.min(order, 99),
    ...(item.detail ? { detail: item.detail } : {}),
    ...(item.documentation ? { info: () => markdown(item.documentation ?? "") } : {}),
    apply: (view: EditorView) => take(view, item, asked),
  };
}

function take(view: EditorView, item: Completion, asked: number): void {
  // Letters may have been typed since the question, before whatever the item was to replace besides.
  const typed = view.state.selection.main.head - asked;
  const to = Math.min(Math.max(item.to + typed, item.from), view.state.doc.length);
  view.dispatch({
    changes: { from: item.from, to, insert: item.text },
    selection: { anchor: item.from + item.caret },
    userEvent: "input.complete",
    scrollIntoView: true,
  });
  if (item.goesOn) startCompletion(view);
}

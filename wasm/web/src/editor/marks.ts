// Marks on lines: those that a pane speaks of are lit, those that no test makes use of have a mark in
// the margin.

import { RangeSet, RangeSetBuilder, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, GutterMarker, gutter } from "@codemirror/view";

const setLit = StateEffect.define<number[]>();
const setUnused = StateEffect.define<number[]>();

const litLine = Decoration.line({ class: "cm-lit" });

const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    let next = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setLit)) continue;
      const builder = new RangeSetBuilder<Decoration>();
      for (const line of known(effect.value, transaction.state.doc.lines)) {
        const { from } = transaction.state.doc.line(line);
        builder.add(from, from, litLine);
      }
      next = builder.finish();
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

class UnusedMarker extends GutterMarker {
  override toDOM(): Node {
    const mark = document.createElement("span");
    mark.textContent = "○";
    mark.title = "no test makes use of this rule";
    return mark;
  }
}

const unusedMarker = new UnusedMarker();

const unused = StateField.define<RangeSet<GutterMarker>>({
  create: () => RangeSet.empty,
  update(value, transaction) {
    let next = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setUnused)) continue;
      const builder = new RangeSetBuilder<GutterMarker>();
      for (const line of known(effect.value, transaction.state.doc.lines)) {
        const { from } = transaction.state.doc.line(line);
        builder.add(from, from, unusedMarker);
      }
      next = builder.finish();
    }
    return next;
  },
});

function known(lines: number[], last: number): number[] {
  return [...new Set(lines)].filter((it) => it >= 1 && it <= last).sort((a, b) => a - b);
}

export const marks = [
  lit,
  unused,
  gutter({ class: "cm-unused", markers: (view) => view.state.field(unused), initialSpacer: () => unusedMarker }),
];

/** At most so many lines of one rule are lit. */
const MAX_LIT = 60;

/** Lights the rules that begin on these lines, from 1; shows the first where that is asked for. */
export function light(view: EditorView, lines: number[], reveal: boolean): void {
  const { doc } = view.state;
  const begins = known(lines, doc.lines).slice(0, 500);
  const all = begins.flatMap((first) => {
    const last = lastLine(doc, first);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
  const effects: StateEffect<unknown>[] = [setLit.of(all)];
  const first = begins[0];
  if (reveal && first !== undefined) {
    effects.push(EditorView.scrollIntoView(doc.line(first).from, { y: "center" }));
  }
  view.dispatch({ effects });
}

/** The line on which what begins on a line ends: that of the bracket which closes its first. */
function lastLine(doc: Text, first: number): number {
  let depth = 0;
  for (let line = first; line < Math.min(first + MAX_LIT, doc.lines + 1); line++) {
    // Brackets in strings and comments are none.
    const text = doc.line(line).text.replace(/"(?:[^"\\]|\\.)*"?|\/\/.*$|\/\*.*?\*\//g, "");
    for (const bracket of text.match(/[[\]{}]/g) ?? []) {
      depth += bracket === "[" || bracket === "{" ? 1 : -1;
      if (depth <= 0) return line;
    }
    if (depth === 0) return line;
  }
  return first;
}

/** Marks the rules that no test makes use of. */
export function markUnused(view: EditorView, lines: number[]): void {
  view.dispatch({ effects: setUnused.of(lines) });
}

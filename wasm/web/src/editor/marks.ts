// Marks on lines: those that a pane speaks of are lit, those that no test makes use of have a mark in
// the margin.

import { RangeSet, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
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

/** Lights lines, from 1, and shows the first of them. */
export function light(view: EditorView, lines: number[]): void {
  const first = known(lines, view.state.doc.lines)[0];
  const effects: StateEffect<unknown>[] = [setLit.of(lines)];
  if (first !== undefined) {
    effects.push(EditorView.scrollIntoView(view.state.doc.line(first).from, { y: "center" }));
  }
  view.dispatch({ effects });
}

/** Marks the rules that no test makes use of. */
export function markUnused(view: EditorView, lines: number[]): void {
  view.dispatch({ effects: setUnused.of(lines) });
}

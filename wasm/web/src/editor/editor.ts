// An editor for HuJSON: what both the policy and the inventory are written in.

import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers,
} from "@codemirror/view";
import { hujson } from "./language.ts";
import { marks } from "./marks.ts";

/** Of one text so much is coloured; beyond it colours would cost more than they help. */
const COLOURED = 2_000_000;

export function editor(label: string, text: string, changed: (text: string) => void, more: Extension = []): EditorView {
  return new EditorView({ state: state(label, text, changed, more) });
}

function state(label: string, text: string, changed: (text: string) => void, more: Extension): EditorState {
  return EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(),
      marks,
      history(),
      drawSelection(),
      indentOnInput(),
      indentUnit.of("\t"),
      EditorState.tabSize.of(2),
      closeBrackets(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      search({ top: true }),
      text.length < COLOURED ? [hujson, bracketMatching()] : [],
      EditorView.cspNonce.of("aclc-editor"),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed(update.state.doc.toString());
      }),
      keymap.of([
        ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap,
        // Tab moves on, so that nobody is caught in the editor; indentation has its own keys.
        { key: "Mod-]", run: indentMore }, { key: "Mod-[", run: indentLess },
        ...defaultKeymap,
      ]),
      more,
    ],
  });
}

/** Puts another text into an editor: one step that can be undone. */
export function replaceText(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
}

/** Shows a place and puts the cursor there. */
export function jump(view: EditorView, from: number, to = from): void {
  const end = view.state.doc.length;
  view.dispatch({
    selection: { anchor: Math.min(from, end), head: Math.min(to, end) },
    effects: EditorView.scrollIntoView(Math.min(from, end), { y: "center" }),
  });
  view.focus();
}

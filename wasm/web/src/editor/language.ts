// HuJSON for the editor: colours, brackets, indentation. What the text means the module knows.

import { HighlightStyle, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

interface State {
  /** Inside a comment of several lines. */
  comment: boolean;
  /** How many brackets are open. */
  depth: number;
}

const parser: StreamParser<State> = {
  name: "hujson",
  startState: () => ({ comment: false, depth: 0 }),
  token(stream, state) {
    if (state.comment) {
      state.comment = !stream.match(/^.*?\*\//);
      if (state.comment) stream.skipToEnd();
      return "comment";
    }
    if (stream.eatSpace()) return null;
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match("/*")) {
      state.comment = true;
      return "comment";
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) {
      return stream.match(/^\s*:/, false) ? "propertyName" : "string";
    }
    if (stream.match(/^-?\d[\d.eE+-]*/)) return "number";
    if (stream.match(/^[A-Za-z]\w*/)) return "atom";
    const bracket = stream.match(/^[[\]{}]/) as RegExpMatchArray | null;
    if (bracket) {
      state.depth = Math.max(0, state.depth + (/[[{]/.test(bracket[0]) ? 1 : -1));
      return "bracket";
    }
    if (stream.match(/^[,:]/)) return "punctuation";
    stream.next();
    return "invalid";
  },
  indent(state, after, context) {
    const closes = /^[\]}]/.test(after.trimStart()) ? 1 : 0;
    return Math.min(40, Math.max(0, state.depth - closes)) * context.unit;
  },
  languageData: {
    commentTokens: { line: "//", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["[", "{", '"'] },
    indentOnInput: /^\s*[\]}]$/,
  },
};

/** Colours are classes, which the style sheet gives their colour in light and dark. */
const colours = HighlightStyle.define([
  { tag: tags.propertyName, class: "tok-name" },
  { tag: tags.string, class: "tok-string" },
  { tag: tags.number, class: "tok-number" },
  { tag: tags.atom, class: "tok-number" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: tags.bracket, class: "tok-bracket" },
  { tag: tags.punctuation, class: "tok-bracket" },
]);

export const hujson = [StreamLanguage.define(parser), syntaxHighlighting(colours)];

// The mode for Emacs: compiled, coloured, and with the built server under both clients that people use.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { built, editors, here } from "./places.mjs";
import { MISTAKE, server, workspace } from "./policies.mjs";

const mode = path.join(editors, "emacs/tailnet-policy-mode.el");
const emacs = (...args) => spawnSync("emacs", ["--batch", ...args], { encoding: "utf8", timeout: 120_000 });

test("the mode compiles without a warning", () => {
  fs.mkdirSync(built, { recursive: true });
  const out = path.join(built, "tailnet-policy-mode.elc");
  const strict = `(setq byte-compile-error-on-warn t byte-compile-dest-file-function (lambda (_) "${out}"))`;
  const { status, stderr } = emacs("-Q", "--eval", strict, "-f", "batch-byte-compile", mode);
  assert.equal(status, 0, stderr);
});

test("a policy opens in the mode, and is coloured", () => {
  const ask = `(progn (find-file "${path.join(here, "grammar/policy.hujson")}") (font-lock-ensure)
    (dolist (it '("group:" "eng" "ann@" "groups" "A bit"))
      (goto-char (point-min)) (search-forward it)
      (princ (format "%s %s %s\\n" major-mode it (get-text-property (1- (point)) 'face)))))`;
  const { stdout, stderr } = emacs("-Q", "-l", mode, "--eval", ask);
  const faces = ["group: font-lock-keyword-face", "eng font-lock-type-face", "ann@ font-lock-variable-name-face"];
  faces.push("groups font-lock-constant-face", "A bit font-lock-comment-face");
  assert.equal(stdout, faces.map((it) => `tailnet-policy-mode ${it}\n`).join(""), stderr);
});

for (const client of ["eglot", "lsp-mode"]) {
  test(`${client} shows a mistake, and what the server answers`, () => {
    const drive = path.join(here, "emacs/drive.el");
    const start = `(progn (package-initialize) (require '${client}))`;
    const args = ["--eval", start, "-l", mode, "-l", drive, workspace(MISTAKE), server, client];
    const { stdout, stderr } = emacs(...args);
    const seen = Object.assign({}, ...stdout.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it)));
    assert.equal(seen.mode, "tailnet-policy-mode", stderr);
    assert.deepEqual(seen.errors, ["tag:nsa"], stderr);
    assert.equal(seen.mended, true, stderr);
    assert.match(seen.answer ?? "", /mira/, stderr);
  });
}

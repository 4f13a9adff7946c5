// What VS Code's own declarations say: its enumerations with their numbers, and its classes that do
// no more than keep what they are made from. So the stand-in cannot differ from the editor in these.

import fs from "node:fs";
import path from "node:path";
import { extension } from "../places.mjs";

const file = path.join(extension, "node_modules/@types/vscode/index.d.ts");
const text = fs.readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");

export const declared = {};

for (const [, name, body] of text.matchAll(/export enum (\w+) \{([^}]*)\}/g)) {
  const members = [...body.matchAll(/(\w+)(?: = (-?\d+))?/g)].filter((it) => /^[A-Z]/.test(it[1]));
  let next = 0;
  declared[name] = {};
  for (const [, member, value] of members) {
    next = value === undefined ? next : Number(value);
    declared[name][member] = next;
    declared[name][next] = member;
    next += 1;
  }
}

for (const [, name, body] of text.matchAll(/\texport class (\w+)[^{]*\{([\s\S]*?)\n\t\}/g)) {
  const parameters = /\tconstructor\(([^;]*)\);/.exec(body)?.[1] ?? "";
  const names = [...parameters.matchAll(/(?:^|, )(?:\.\.\.)?(\w+)\??:/g)].map((it) => it[1]);
  declared[name] = class {
    constructor(...given) {
      names.forEach((it, index) => {
        if (given[index] !== undefined) {
          this[it] = given[index];
        }
      });
    }
  };
  Object.defineProperty(declared[name], "name", { value: name });
}

// Whether a text is a tailnet policy: by the names of its outermost object.

/** Sections that nothing else has. */
const OWN = ["acls", "grants", "tagowners", "autoapprovers", "nodeattrs", "sshtests"];

/** Sections whose names others use as well. */
const SHARED = ["groups", "hosts", "ssh", "tests", "postures", "ipsets", "derpmap"];

/** A name, or what must be passed over or counted on the way to it. */
const PIECE = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"|[{}[\]:]/g;

/** What is behind this is not looked at: a file of megabytes shows in its beginning what it is. */
const ENOUGH = 256 * 1024;

/** Two sections, one of which nothing else has. */
export function looksLikePolicy(text: string): boolean {
  const names = outerNames(text.slice(0, ENOUGH));
  const own = OWN.filter((it) => names.has(it)).length;
  return own > 0 && own + SHARED.filter((it) => names.has(it)).length > 1;
}

/** The names of the members of the outermost object, in lower case. */
function outerNames(text: string): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  let before = "";
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece.startsWith("/")) {
      continue;
    }
    if (piece === "{" || piece === "[") {
      depth += 1;
    } else if (piece === "}" || piece === "]") {
      depth -= 1;
    } else if (piece === ":" && depth === 1) {
      names.add(before.slice(1, -1).toLowerCase());
    }
    before = piece;
  }
  return names;
}

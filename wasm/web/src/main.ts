// The page: two editors at the left, what comes of them at the right, one line below.

import "../css/page.css";
import "../css/editor.css";
import "../css/panes.css";
import { Compiler } from "./compiler.ts";
import { fill, h, later, sentence } from "./dom.ts";
import { assist } from "./editor/assist.ts";
import { editor, jump, replaceText } from "./editor/editor.ts";
import { showFindings } from "./editor/findings.ts";
import { light } from "./editor/marks.ts";
import type { Model, Pane, Side } from "./model.ts";
import { dialog } from "./page/dialog.ts";
import { isInventory, readFile, takesDrops } from "./page/files.ts";
import { type Key, listenForKeys, showKeys } from "./page/keys.ts";
import { follow, isLive, type Live } from "./page/live.ts";
import { homelab, sample, sampleNames } from "./page/samples.ts";
import { shareDialog, unpack } from "./page/share.ts";
import { statusLine } from "./page/status.ts";
import { tabs } from "./page/tabs.ts";
import { themeSwitch } from "./page/theme.ts";
import { comparePane } from "./panes/compare.ts";
import { mapPane } from "./panes/map.ts";
import { matrixPane } from "./panes/matrix.ts";
import { packetPane } from "./panes/packet.ts";
import { problems } from "./panes/problems.ts";
import { tablesPane } from "./panes/tables.ts";
import { testsPane } from "./panes/tests.ts";
import { trustOwnScripts } from "./page/trust.ts";
import type { Inputs, Update } from "./protocol.ts";

trustOwnScripts();

const said = h("div", { class: "hidden", role: "status", "aria-live": "polite" });
const bug = h("div", { class: "banner wrong", role: "alert", hidden: true });
const stale = h("div", { class: "stale", role: "status", hidden: true }, "The policy or the devices have errors. This is the last good result.");
const status = statusLine();
let target = "tailscale";

const compiler = new Compiler(show, (error) => {
  bug.hidden = false;
  fill(bug, `This is a bug of aclc, not of your policy: ${error.message}`);
});

const policy = editor("Policy", "", (text) => compiler.set({ policy: text }), assist(compiler));
const nodes = editor("Devices", "", (text) => compiler.set({ nodes: text }));

const model: Model = {
  compiler,
  policy,
  nodes,
  update: null,
  result: null,
  generation: 0,
  jump(side, from, to) {
    showHalf("left");
    left.select(side);
    jump(side === "policy" ? policy : nodes, from, to);
  },
  light(lines, reveal = false) {
    light(policy, lines, reveal);
  },
  say(text) {
    said.textContent = text;
  },
};

let lastPane: Pane | null = null;
const list = problems(model);
// A list that changed with every letter could not be read, and costs more than an answer.
const listLater = later(80, () => list.show());
const compare = comparePane(model);
const left = tabs("Texts", [
  { id: "policy", title: "Policy", root: policy.dom },
  { id: "nodes", title: "Devices", root: nodes.dom },
], () => {});
const panes: [Pane, ...Pane[]] = [matrixPane(model), mapPane(model), tablesPane(model), packetPane(model), testsPane(model), compare];
const right = tabs<Pane>(
  "Results",
  panes,
  (pane) => {
    if (pane !== lastPane) model.light([]);
    lastPane = pane;
    pane.show();
    pane.relight?.();
  },
);

/** Shows what came of an edit; what was there stays in view while the text is broken. */
function show(update: Update): void {
  bug.hidden = true;
  model.update = update;
  showFindings(policy, update.findings.policy);
  showFindings(nodes, update.findings.nodes);
  listLater();
  status.show(update);
  if (update.result) {
    model.result = update.result;
    model.generation++;
  }
  stale.hidden = update.result !== null || model.result === null;
  rightHalf.classList.toggle("old", !stale.hidden);
  needsDevices.hidden = model.result !== null;
  if (update.result) right.current().show();
}

function open(inputs: Required<Pick<Inputs, "policy" | "nodes" | "target">>, words: string): void {
  target = inputs.target;
  compiler.set({ ...inputs, today: new Date().toISOString().slice(0, 10) });
  replaceText(policy, inputs.policy);
  replaceText(nodes, inputs.nodes);
  left.select("policy");
  targets.value = target;
  model.say(words);
}

/** The files have changed: what is the same stays as it is, the cursor included. */
function refresh({ policy: file, nodes: inventory, target: wanted }: Live): void {
  if (wanted !== target) compiler.set({ target: (target = targets.value = wanted) });
  compiler.set({ today: new Date().toISOString().slice(0, 10) });
  if (file.text !== policy.state.doc.toString()) replaceText(policy, file.text);
  if ((inventory?.text ?? "") !== nodes.state.doc.toString()) replaceText(nodes, inventory?.text ?? "");
  fill(hint, "Edit ", h("code", {}, file.name), " in your own editor: this page follows.");
  model.say(`${file.name} has been read`);
}

function take(name: string, text: string): void {
  const side: Side = isInventory(text) ? "nodes" : "policy";
  replaceText(side === "policy" ? policy : nodes, text);
  left.select(side);
  model.say(`${name} is open as ${side === "policy" ? "the policy" : "the devices"}`);
}

const hint = h("p", { class: "hint" }, "Edit the policy, or drop your own files here.");
const samples = h(
  "select", { "aria-label": "Open a sample", onchange: () => void sample(samples.value).then((it) => open(it, `the sample ${it.title} is open`)) },
  ...sampleNames.map((it) => h("option", { value: it }, `Sample: ${it}`)),
);
const targets = h(
  "select", { "aria-label": "Whose control plane takes the policy", onchange: () => compiler.set({ target: (target = targets.value) }) },
  h("option", { value: "tailscale" }, "for Tailscale"), h("option", { value: "headscale" }, "for headscale"),
);
const button = (words: string, title: string, run: () => void) => h("button", { type: "button", class: "quiet", title, onclick: run }, words);
const openFile = () => void readFile().then((it) => it && take(it.name, it.text));
const formatPolicy = () => void compiler.format(policy.state.doc.toString()).then((text) => {
  if (text === undefined) return model.say("a broken text cannot be laid out");
  if (text !== policy.state.doc.toString()) replaceText(policy, text);
});
const share = () => shareDialog(model, target);

const keys: Key[] = [
  { key: "?", words: "this list", run: () => showKeys(keys) },
  { key: "Alt+P", words: "to the policy", run: () => (showHalf("left"), left.select("policy"), policy.focus()) },
  { key: "Alt+D", words: "to the devices", run: () => (showHalf("left"), left.select("nodes"), nodes.focus()) },
  ...panes.map(({ id, title }, at): Key => ({
    key: `Alt+${at + 1}`, words: `to “${title}”`, run: () => (showHalf("right"), right.select(id, true)),
  })),
  { key: "Alt+O", words: "open a file", run: openFile },
  { key: "Alt+L", words: "lay the policy out", run: formatPolicy },
  { key: "Alt+S", words: "share", run: share },
];
listenForKeys(keys);

const needsDevices = h("div", { class: "banner", hidden: true }, "There is no result yet: the policy or the devices have errors, or there are no devices. Paste the output of ", h("code", {}, "tailscale status --json"), " under Devices.");
const leftHalf = h("section", { class: "half left", "aria-label": "Policy and devices" }, left.bar, left.body, list.root);
const rightHalf = h("section", { class: "half right", "aria-label": "Results" }, right.bar, stale, needsDevices, right.body);
const halves = ["left", "right"].map((it) =>
  h("button", { type: "button", "aria-pressed": "false", onclick: () => showHalf(it as "left" | "right") }, it === "left" ? "Edit" : "Results"));

/** On a phone one half is in view. */
function showHalf(which: "left" | "right"): void {
  document.body.dataset["half"] = which;
  halves.forEach((it, at) => it.setAttribute("aria-pressed", String((at === 0) === (which === "left"))));
  if (which === "right") right.current().show();
}

document.body.append(
  h(
    "header", { class: "top" },
    h("h1", {}, "aclc preview"),
    hint,
    h("div", { class: "actions" },
      samples, targets, button("Open…", "Open a policy or an inventory", openFile), button("Format", "Lay the policy out as Tailscale's formatter does", formatPolicy),
      button("Share", "Make a link", share), themeSwitch(), button("?", "Keys", () => showKeys(keys))),
  ),
  h("nav", { class: "halves", "aria-label": "Half of the page" }, ...halves),
  bug,
  h("main", {}, leftHalf, rightHalf),
  status.root,
  said,
);
takesDrops(document.body, take);
left.select("policy");
right.select("matrix");
// On a phone the matrix is what is seen first.
showHalf("right");
void start();

async function start(): Promise<void> {
  if (isLive()) {
    document.title = "aclc preview";
    follow((live) => refresh(live), (why) => {
      bug.hidden = why === null;
      if (why !== null) fill(bug, ...sentence(`The files are not followed any more: ${why}.`));
    });
    return;
  }
  try {
    const shared = await unpack(location.hash);
    open(shared ?? homelab, shared ? "a shared policy is open" : "a sample is open");
  } catch (error) {
    open(homelab, "a sample is open");
    dialog("This link cannot be read", h("p", {}, `The link that led here is no link of this page: ${(error as Error).message}. A sample is open instead.`));
  }
  if ("serviceWorker" in navigator && location.protocol !== "file:") {
    // Offline use is a gift, not a need.
    await navigator.serviceWorker.register(new URL("./offline.js", location.href)).catch(() => {});
  }
}

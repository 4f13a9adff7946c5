// The worker: holds the module, so that the page itself is never busy compiling.

import init, { Workspace, format } from "../../pkg/web/aclc.js";
import address from "../../pkg/web/aclc_bg.wasm?url";
import type { Inputs, Request, Response, Update } from "./protocol.ts";

const ready = fetch(address)
  .then((answer) => {
    if (!answer.ok) throw new Error(`the module cannot be loaded: ${answer.status} ${answer.statusText}`);
    return answer.arrayBuffer();
  })
  .then((bytes) => init({ module_or_path: bytes }))
  .then(() => new Workspace());

function set(workspace: Workspace, { policy, nodes, target, today }: Inputs): void {
  if (target !== undefined) workspace.setTarget(target);
  if (today !== undefined) workspace.setToday(today);
  if (nodes !== undefined) workspace.setNodes(nodes);
  if (policy !== undefined) workspace.setPolicy(policy);
}

function update(workspace: Workspace): Update {
  const begin = performance.now();
  const findings = workspace.check();
  const compiled = findings.summary.compiled;
  const result = compiled ? { devices: workspace.devices(), ends: workspace.ends() } : null;
  return { findings, result, milliseconds: performance.now() - begin };
}

function answer(workspace: Workspace, request: Request): unknown {
  switch (request.kind) {
    case "set":
      return set(workspace, request.inputs);
    case "update":
      return update(workspace);
    case "format":
      return format(request.text);
    case "ask":
      return (workspace[request.method] as (...questions: unknown[]) => unknown).apply(workspace, request.questions);
  }
}

self.addEventListener("message", (event: MessageEvent<Request>) => {
  const { id } = event.data;
  void ready
    .then((workspace): Response => ({ id, value: answer(workspace, event.data) }))
    .catch((error: unknown): Response => {
      const said = error instanceof Error ? error.message : String(error);
      // A trap or a panic leaves the module in no state that can be trusted; a question that was
      // wrong does not.
      const bug = error instanceof WebAssembly.RuntimeError || said.startsWith("a bug of aclc") || said.includes("recursive use");
      return { id, error: said, bug };
    })
    .then((response) => self.postMessage(response));
});

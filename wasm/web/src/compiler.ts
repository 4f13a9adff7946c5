// The page's side of the worker: questions with promises, the newest text first, and a new worker
// where the old one fell over.

import type { Answer, Inputs, Method, Questions, Request, Response, Update } from "./protocol.ts";

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

type Draft = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** Something of ours that went wrong, as opposed to a question that was. */
export class Bug extends Error {}

export class Compiler {
  private worker = this.start();
  private waiting = new Map<number, Waiting>();
  private last = 0;
  /** What the worker knows, for the next one. */
  private known: Inputs = {};
  /** What it has not been told yet. */
  private pending: Inputs = {};
  private updating: Promise<void> | null = null;
  private again = false;

  /** `show` gets what every edit gives, `complain` what cannot be answered. */
  constructor(
    private readonly show: (update: Update) => void,
    private readonly complain: (error: Error) => void,
  ) {}

  /** Takes other texts and compiles them. Edits that come meanwhile are compiled together. */
  set(inputs: Inputs): void {
    Object.assign(this.pending, inputs);
    this.again = true;
    this.updating ??= this.loop().finally(() => (this.updating = null));
  }

  /** Asks the module about the newest texts. */
  ask<M extends Method>(method: M, ...questions: Questions<M>): Promise<Answer<M>> {
    this.tell();
    return this.send({ kind: "ask", method, questions });
  }

  /** A policy as Tailscale's formatter lays it out; nothing where it is broken. */
  format(text: string): Promise<string | undefined> {
    return this.send({ kind: "format", text });
  }

  private async loop(): Promise<void> {
    while (this.again) {
      this.again = false;
      this.tell();
      try {
        const update = await this.send<Update>({ kind: "update" });
        this.show(update);
      } catch (error) {
        this.complain(error as Error);
      }
    }
  }

  /** Tells the worker what it does not know yet. */
  private tell(): void {
    if (Object.keys(this.pending).length === 0) return;
    const inputs = this.pending;
    this.pending = {};
    Object.assign(this.known, inputs);
    this.send({ kind: "set", inputs }).catch((error: Error) => this.complain(error));
  }

  private send<T>(draft: Draft): Promise<T> {
    const id = ++this.last;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...draft });
    });
  }

  private start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<Response>) => this.receive(event.data));
    worker.addEventListener("error", (event) => this.replace(event.message || "the worker ended"));
    return worker;
  }

  private receive(response: Response): void {
    const waiting = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if (!("error" in response)) return waiting?.resolve(response.value as never);
    if (!response.bug) return waiting?.reject(new Error(response.error));
    waiting?.reject(new Bug(response.error));
    this.replace(response.error);
  }

  /** A new worker; what the old one was asked remains without an answer. */
  private replace(why: string): void {
    this.worker.terminate();
    for (const it of this.waiting.values()) it.reject(new Bug(why));
    this.waiting.clear();
    this.worker = this.start();
    this.pending = { ...this.known, ...this.pending };
  }
}

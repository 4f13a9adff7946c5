// A real Neovim without a terminal, driven as a person drives it: keys go in, and what it shows is
// asked for over its socket.

import { execFile, spawn } from "node:child_process";
import os from "node:os";
import path from "node:path";
import fs from "node:fs";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { editors } from "./places.mjs";

const run = promisify(execFile);

export class Neovim {
  /** Starts a program with our folder on its runtime path, and `setup` as its `init.lua`. */
  static async start(program, folder, setup) {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), "aclc-nvim-"));
    const init = path.join(home, "init.lua");
    fs.writeFileSync(init, `vim.opt.runtimepath:prepend(${JSON.stringify(path.join(editors, "nvim"))})\n${setup}\n`);
    const it = new Neovim();
    Object.assign(it, { program, home, socket: path.join(home, "socket"), said: "" });
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_STATE_HOME: home, XDG_DATA_HOME: home };
    it.process = spawn(program, ["--headless", "--clean", "-n", "-u", init, "--listen", it.socket], { cwd: folder, env });
    it.process.stderr.on("data", (text) => (it.said += text));
    it.ended = new Promise((resolve) => it.process.on("exit", resolve));
    await it.until("1", "a start");
    return it;
  }

  /** The value of a Lua expression, as JSON has it. */
  async ask(expression) {
    // Through a file: what is printed is cut in its middle where it is long.
    const answer = path.join(this.home, "answer");
    const lua = `vim.fn.writefile({ vim.fn.json_encode(${expression}) }, ${JSON.stringify(answer)})`;
    await run(this.program, ["--server", this.socket, "--remote-expr", `luaeval('${lua.replaceAll("'", "''")}')`]);
    return JSON.parse(fs.readFileSync(answer, "utf8"));
  }

  /** Keys as they are typed; `<CR>` and others by their names. */
  async type(keys) {
    await run(this.program, ["--server", this.socket, "--remote-send", keys]);
  }

  /** The value of an expression once it is neither empty nor false. */
  async until(expression, what) {
    const end = Date.now() + 30_000;
    let last;
    while (Date.now() < end && this.process.exitCode === null) {
      try {
        last = await this.ask(expression);
        if (Array.isArray(last) ? last.length > 0 : last) {
          return last;
        }
      } catch (error) {
        last = error.message;
      }
      await setTimeout(20);
    }
    const messages = await this.ask("vim.fn.execute('messages')").catch(() => "");
    throw new Error(`waited in vain for ${what}: ${JSON.stringify(last)}\n${messages}\n${this.said}`);
  }

  async stop() {
    await this.type("<C-\\><C-N>:qall!<CR>").catch(() => undefined);
    // One that asks something first would wait for ever.
    await Promise.race([this.ended, setTimeout(5_000, undefined, { ref: false })]);
    this.process.kill("SIGKILL");
    await this.ended;
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

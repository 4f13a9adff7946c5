// Neovim with our folder on its runtime path and the built server: one policy, worked on by keys.
// `NVIM_NEWER` names a Neovim of 0.11 or later, which starts the server in another way.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Neovim } from "./nvim.mjs";
import { MISTAKE, server, workspace } from "./policies.mjs";

const TEXT = "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')";
const ERRORS = "vim.tbl_map(function(it) return it.code end, vim.diagnostic.get(0, {severity = 1}))";

const programs = ["nvim", process.env.NVIM_NEWER].filter(Boolean);
for (const program of programs) {
  test(`${program} works on a policy`, async (t) => {
    const folder = workspace(MISTAKE);
    const file = path.join(folder, "policy.hujson");
    const nvim = await Neovim.start(program, folder, `require("aclc").setup({ cmd = { ${JSON.stringify(server)} } })`);
    t.after(() => nvim.stop());

    await t.test("opens it and colours it", async () => {
      await nvim.type(":syntax on | edit policy.hujson<CR>");
      assert.equal(await nvim.until("vim.bo.filetype", "a file type"), "hujson");
      await nvim.type("gg/\"group:admins<CR>l");
      const names = "vim.tbl_map(function(it) return vim.fn.synIDattr(it, 'name') end, vim.fn.synstack(vim.fn.line('.'), vim.fn.col('.')))";
      assert.ok((await nvim.ask(names)).includes("aclcSelector"));
    });

    await t.test("shows the mistake where it is", async () => {
      const found = await nvim.until("vim.diagnostic.get(0, {severity = 1})", "a diagnostic");
      assert.deepEqual(found.map((it) => it.code), ["acl/E0301"]);
      const line = (await nvim.ask(TEXT)).split("\n")[found[0].lnum];
      assert.equal(line.slice(found[0].col, found[0].end_col), "tag:nsa");
    });

    await t.test("applies the quick fix that is chosen", async () => {
      await nvim.type(":lua vim.ui.select = function(items, _, chosen) offered = items; chosen(items[1]) end<CR>");
      await nvim.type("gg/tag:nsa<CR>:lua vim.lsp.buf.code_action()<CR>");
      await nvim.until(`not ${TEXT}:find('tag:nsa', 1, true)`, "the fix");
      assert.match(await nvim.ask(TEXT), /"dst": {4}\["tag:nas:2049"\],\n\t\t\t"proto"/);
      await nvim.until(`#${ERRORS} == 0`, "no error");
    });

    await t.test("completes a tag in a string that is not closed yet", async () => {
      await nvim.type('gg/"tag:printer:631"<CR>f]i, "tag:me<C-X><C-O>');
      await nvim.until("vim.fn.mode() == 'i' and vim.fn.complete_info().selected >= 0", "completions");
      const words = await nvim.ask("vim.tbl_map(function(it) return it.abbr end, vim.fn.complete_info().items)");
      assert.deepEqual(words.filter((it) => !it.startsWith("tag:media")), []);
      await nvim.type("<C-Y><Esc>");
      await nvim.until("vim.fn.mode() == 'n'", "the tag");
      assert.match(await nvim.ask("vim.api.nvim_get_current_line()"), /"tag:printer:631", "tag:media/);
      await nvim.type("u");
    });

    await t.test("renames a group wherever it stands", async () => {
      const before = await nvim.ask(TEXT);
      await nvim.type("<Esc>gg/group:family<CR>:lua vim.lsp.buf.rename('group:household')<CR>");
      await nvim.until(`not ${TEXT}:find('group:family', 1, true)`, "the new name");
      assert.equal(await nvim.ask(TEXT), before.replaceAll("group:family", "group:household"));
    });

    await t.test("shows who reaches a destination, in the text as it is now", async () => {
      await nvim.type("Gono policy<Esc>");
      await nvim.until(`#${ERRORS} > 0`, "an error");
      await nvim.type("dd<Esc>gg/\"tag:nas\"<CR>l:AclcWhoCan<CR>");
      await nvim.until("vim.bo.buftype == 'nofile'", "an answer");
      assert.match(await nvim.ask(TEXT), /mira/);
      assert.equal(await nvim.ask("vim.bo.modifiable"), false);
      await nvim.type(":close<CR>");
    });

    await t.test("saves what it has", async () => {
      await nvim.type(":write<CR>");
      await nvim.until("not vim.bo.modified", "a save");
      assert.match(fs.readFileSync(file, "utf8"), /group:household/);
    });
  });
}

test("a server that is not there is said once, and the policy opens", async (t) => {
  const nvim = await Neovim.start("nvim", workspace(), 'require("aclc").setup({ cmd = { "no-such-server" } })');
  t.after(() => nvim.stop());
  await nvim.type(":edit policy.hujson<CR>");
  await nvim.until("vim.bo.filetype == 'hujson'", "a file type");
  assert.match(await nvim.ask("vim.fn.execute('messages')"), /`no-such-server` is not on the path/);
});

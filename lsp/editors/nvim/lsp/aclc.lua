-- How Neovim 0.11 and later start the language server; `vim.lsp.enable("aclc")` makes use of it.
return {
  cmd = { "aclc-lsp" },
  filetypes = { "hujson" },
  root_markers = { "aclc.toml", "aclc.json5", ".git" },
  get_language_id = function()
    return "tailnet-policy"
  end,
}

-- The language server for tailnet policies in Neovim 0.7 and later, and the commands that ask it.
--
--   require("aclc").setup({ nodes = "nodes.json" })   -- only where something is to be set
local M = {}

local options = {}
local markers = { "aclc.toml", "aclc.json5", ".git" }
local newer = vim.fn.has("nvim-0.11") == 1

-- `cmd` is how the server is started; `nodes`, `target` and `levels` are what it is told: what is not
-- set here is taken from `aclc.toml`.
function M.setup(given)
  options = given
end

-- The settings of `setup` as a client takes them; what is not set there is left out.
local function configuration()
  local told = { nodes = options.nodes, target = options.target, levels = options.levels }
  if not next(told) then
    return { cmd = options.cmd }
  end
  return { cmd = options.cmd, init_options = told, settings = { aclc = told } }
end

-- The nearest folder with one of the markers, else the folder of the file.
local function root(file)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  for _, marker in ipairs(markers) do
    local found = vim.fn.findfile(marker, folder .. ";")
    if found == "" then
      found = vim.fn.finddir(marker, folder .. ";")
    end
    if found ~= "" then
      return (vim.fn.fnamemodify(found, ":p"):gsub("/$", ""):gsub("/[^/]*$", ""))
    end
  end
  return folder
end

-- Completion for Neovim before 0.8: where an item says by what it is filtered, that takes the word
-- before the cursor for what is replaced, and the place that the item names for nothing.
function M.omnifunc(start, base)
  local request = vim.lsp.buf_request
  vim.lsp.buf_request = function(buffer, method, params, handler)
    return request(buffer, method, params, function(failure, result, ...)
      for _, item in ipairs(result and (result.items or result) or {}) do
        item.filterText = nil
      end
      return handler(failure, result, ...)
    end)
  end
  local found = vim.lsp.omnifunc(start, base)
  vim.lsp.buf_request = request
  return found
end

local function attached(_, buffer)
  local old = vim.fn.has("nvim-0.8") == 0
  vim.bo[buffer].omnifunc = old and "v:lua.require'aclc'.omnifunc" or "v:lua.vim.lsp.omnifunc"
end

local function missing(cmd)
  if type(cmd) == "table" and vim.fn.executable(cmd[1]) == 0 then
    vim.notify_once("aclc: `" .. cmd[1] .. "` is not on the path", vim.log.levels.WARN)
    return true
  end
end

-- For Neovim from 0.11 on, which finds `lsp/aclc.lua` and starts what is enabled by itself.
local function enable()
  vim.lsp.config("aclc", configuration())
  if not missing(vim.lsp.config.aclc.cmd) then
    vim.lsp.enable("aclc")
  end
end

local clients = {} -- by root, for Neovim before 0.11

-- Starts the server for a buffer, or lets the one of its folder have it, too.
function M.start(buffer)
  if newer then
    if not vim.lsp.is_enabled or not vim.lsp.is_enabled("aclc") then
      enable()
    end
    return
  end
  local config = vim.tbl_extend("keep", configuration(), { cmd = { "aclc-lsp" } })
  if missing(config.cmd) then
    return
  end
  local folder = root(vim.api.nvim_buf_get_name(buffer))
  if not (clients[folder] and vim.lsp.get_client_by_id(clients[folder])) then
    config.name = "aclc"
    config.root_dir = folder
    config.workspace_folders = { { uri = vim.uri_from_fname(folder), name = folder } }
    config.on_attach = attached
    config.get_language_id = function()
      return "tailnet-policy"
    end
    clients[folder] = vim.lsp.start_client(config)
  end
  vim.lsp.buf_attach_client(buffer, clients[folder])
end

-- Shows what the server answered in a window of its own.
local function show(failure, answer)
  if failure then
    vim.notify("aclc: " .. failure.message, vim.log.levels.ERROR)
  elseif type(answer) == "table" and type(answer.text) == "string" then
    vim.cmd("new")
    local buffer = vim.api.nvim_get_current_buf()
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(answer.text, "\n"))
    vim.bo[buffer].buftype = "nofile"
    vim.bo[buffer].bufhidden = "wipe"
    vim.bo[buffer].filetype = answer.language
    vim.bo[buffer].modifiable = false
    pcall(vim.api.nvim_buf_set_name, buffer, "aclc: " .. answer.title)
  end
end

local function client_of(buffer)
  local all = newer and vim.lsp.get_clients({ bufnr = buffer }) or vim.lsp.buf_get_clients(buffer)
  for _, client in pairs(all) do
    if client.name == "aclc" then
      return client
    end
  end
end

local function execute(params)
  -- By its number: changes that still wait are sent first only for a buffer that is named by it.
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    vim.notify("aclc: the language server does not run for this file", vim.log.levels.WARN)
  elseif newer then
    client:request("workspace/executeCommand", params, show, buffer)
  else
    client.request("workspace/executeCommand", params, show, buffer)
  end
end

-- Runs a command of the server about the buffer, the place of the cursor, and perhaps a device.
local function ask(command, node)
  local client = client_of(0)
  local here = vim.lsp.util.make_position_params(0, client and client.offset_encoding or "utf-16")
  local argument = { uri = here.textDocument.uri, position = here.position, node = node }
  execute({ command = command, arguments = { argument } })
end

vim.api.nvim_create_user_command("AclcTables", function(call)
  ask("aclc.tables", call.args ~= "" and call.args or nil)
end, { nargs = "?", desc = "the packet filter of a device" })
vim.api.nvim_create_user_command("AclcWhoCan", function()
  ask("aclc.whoCan")
end, { desc = "who reaches what the cursor stands on" })
vim.api.nvim_create_user_command("AclcDiff", function()
  ask("aclc.diff")
end, { desc = "what this edit changes" })

-- A code lens (`vim.lsp.codelens.run()`) runs a command of the server; its answer is shown as well.
for _, name in ipairs({ "aclc.tables", "aclc.whoCan", "aclc.diff", "aclc.runTest" }) do
  vim.lsp.commands[name] = function(command)
    execute({ command = command.command, arguments = command.arguments })
  end
end

return M

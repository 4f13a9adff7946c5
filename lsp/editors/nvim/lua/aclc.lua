-- The language server for tailnet policies in Neovim 0.7 and later, and the commands that ask it.
--
--   require("aclc").setup({ nodes = "nodes.json" })   -- only where something is to be set
local M = {}

local options = { cmd = { "aclc-lsp" } }
local markers = { "aclc.toml", "aclc.json5", ".git" }

-- What the server is told: as in `aclc.toml`; what is not set here is taken from there.
local function settings()
  local told = { nodes = options.nodes, target = options.target, levels = options.levels }
  return next(told) and told or vim.empty_dict()
end

-- `cmd` is how the server is started; `nodes`, `target` and `levels` are what it is told.
function M.setup(given)
  options = vim.tbl_extend("force", options, given or {})
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

local function attached(_, buffer)
  vim.bo[buffer].omnifunc = "v:lua.vim.lsp.omnifunc"
end

local clients = {} -- by root, for Neovim before 0.11

-- Starts the server for a buffer, or lets the one of its folder have it, too.
function M.start(buffer)
  if vim.fn.executable(options.cmd[1]) == 0 then
    vim.notify_once("aclc: `" .. options.cmd[1] .. "` is not on the path", vim.log.levels.WARN)
    return
  end
  if vim.lsp.config then
    vim.lsp.config("aclc", {
      cmd = options.cmd,
      init_options = settings(),
      settings = { aclc = settings() },
    })
    vim.lsp.enable("aclc")
    return
  end
  local folder = root(vim.api.nvim_buf_get_name(buffer))
  if not (clients[folder] and vim.lsp.get_client_by_id(clients[folder])) then
    clients[folder] = vim.lsp.start_client({
      name = "aclc",
      cmd = options.cmd,
      root_dir = folder,
      workspace_folders = { { uri = vim.uri_from_fname(folder), name = folder } },
      init_options = settings(),
      settings = { aclc = settings() },
      get_language_id = function()
        return "tailnet-policy"
      end,
      on_attach = attached,
    })
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

-- Runs a command of the server about the buffer, the place of the cursor, and perhaps a device.
local function ask(command, node)
  local here = vim.lsp.util.make_position_params(0, "utf-16")
  local argument = { uri = here.textDocument.uri, position = here.position, node = node }
  local params = { command = command, arguments = { argument } }
  vim.lsp.buf_request(0, "workspace/executeCommand", params, show)
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
    local params = { command = command.command, arguments = command.arguments }
    vim.lsp.buf_request(0, "workspace/executeCommand", params, show)
  end
end

return M

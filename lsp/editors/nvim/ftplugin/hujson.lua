-- A policy is open: comments as HuJSON has them, and the language server.
vim.bo.commentstring = "// %s"
vim.bo.comments = "sO:* -,mO:*  ,exO:*/,s1:/*,mb:*,ex:*/,://"
require("aclc").start(vim.api.nvim_get_current_buf())

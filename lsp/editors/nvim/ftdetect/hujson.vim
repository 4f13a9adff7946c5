" Tailnet policies are HuJSON: every `*.hujson`, and what is named after Tailscale or headscale.
autocmd BufNewFile,BufRead *.hujson setfiletype hujson
autocmd BufNewFile,BufRead {tailscale,headscale,tailnet}[-_.]{acl,acls,policy}.{json,jsonc} set filetype=hujson
autocmd BufNewFile,BufRead */{tailscale,headscale}/{acl,acls,policy}.{json,jsonc} set filetype=hujson

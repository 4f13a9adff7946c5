" JSON with comments, and in it what `aclc` reads: selectors in strings, orders in comments.
if exists("b:current_syntax")
  finish
endif
runtime! syntax/jsonc.vim
unlet! b:current_syntax

" HuJSON has trailing commas.
syntax clear jsonTrailingCommaError

syntax match aclcSelector /"\@<=\(group\|tag\|autogroup\|ipset\|svc\|posture\|host\|user\):[^":]*/ contained containedin=jsonString,jsonKeyword
syntax match aclcUser /"\@<=[^"@: ]\+@[^": ]\+/ contained containedin=jsonString,jsonKeyword
syntax match aclcOrder /aclc:\s*\(allow\|expires\|never\|only\|always\)\?/ contained containedin=jsonLineComment,jsonBlockComment,jsonComment
highlight default link aclcSelector Type
highlight default link aclcUser Identifier
highlight default link aclcOrder SpecialComment

let b:current_syntax = "hujson"

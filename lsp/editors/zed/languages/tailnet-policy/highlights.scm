(comment) @comment

(string) @string
(escape_sequence) @string.escape
(number) @number

[
  (true)
  (false)
] @boolean

(null) @constant.builtin

(pair
  key: (string) @property)

((pair
  key: (string) @keyword)
  (#match? @keyword "^\"(acls|grants|groups|tagOwners|hosts|ipsets|postures|defaultSrcPosture|autoApprovers|ssh|nodeAttrs|tests|sshTests)\"$"))

((string) @type
  (#match? @type "^\"(group|tag|autogroup|ipset|svc|posture|host|user):"))

((comment) @comment.doc
  (#match? @comment.doc "^[/* \t]*aclc:"))

[
  ","
  ":"
] @punctuation.delimiter

[
  "{"
  "}"
  "["
  "]"
] @punctuation.bracket

; inherits: json

((pair key: (string (string_content) @keyword))
  (#match? @keyword "^(acls|grants|groups|tagOwners|hosts|ipsets|postures|defaultSrcPosture|autoApprovers|ssh|nodeAttrs|tests|sshTests)$"))

((string_content) @type
  (#match? @type "^(group|tag|autogroup|ipset|svc|posture|host|user):"))

((comment) @keyword.directive
  (#match? @keyword.directive "^[/* \t]*aclc:"))

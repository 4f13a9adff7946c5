;;; drive.el --- Works on a policy with a client for language servers  -*- lexical-binding: t -*-

;;; Commentary:
;; Arguments: the folder of the policy, the server, `eglot' or `lsp-mode'.  Prints a line of JSON for
;; each thing that a person would see.

;;; Code:

(require 'flymake)
(require 'json)

(defvar tailnet-policy-server)
(defvar tailnet-policy-settings)
(defvar eglot-sync-connect)
(defvar lsp-session-file)
(declare-function tailnet-policy-who-can "tailnet-policy-mode")

(defun drive-wait (look)
  "Wait until the function LOOK gives something."
  (let ((end (+ (float-time) 30)) found)
    (while (not (or (setq found (funcall look)) (> (float-time) end)))
      (accept-process-output nil 0.02))
    found))

(defun drive-say (name value)
  "Print NAME and VALUE."
  (princ (concat (json-encode (list (cons name value))) "\n")))

(defun drive-errors ()
  "The texts that are underlined as errors."
  (let (texts)
    (dolist (it (flymake-diagnostics) texts)
      (when (memq (flymake-diagnostic-type it) '(eglot-error :error))
        (push (buffer-substring-no-properties (flymake-diagnostic-beg it) (flymake-diagnostic-end it))
              texts)))))

(defun drive-answer ()
  "The text of the buffer that shows an answer."
  (let ((buffer (seq-find (lambda (it) (string-prefix-p "*aclc: " (buffer-name it))) (buffer-list))))
    (and buffer (with-current-buffer buffer (buffer-string)))))

(defun drive (folder server client)
  "Open the policy of FOLDER with SERVER, started by CLIENT."
  (setq tailnet-policy-server (list server)
        tailnet-policy-settings '(:nodes "nodes.json")
        eglot-sync-connect 30
        lsp-session-file (expand-file-name ".lsp-session" folder))
  (find-file (expand-file-name "policy.hujson" folder))
  (drive-say "mode" major-mode)
  (if (string= client "eglot")
      (call-interactively 'eglot)
    (lsp-workspace-folders-add folder)
    (setq-local lsp-diagnostics-provider :flymake)
    (lsp)
    (drive-wait (lambda () (lsp-workspaces))))
  (drive-say "errors" (drive-wait #'drive-errors))
  (goto-char (point-min))
  (search-forward "tag:nsa")
  (replace-match "tag:nas")
  (goto-char (point-min))
  (search-forward "\"tag:nas")
  (tailnet-policy-who-can)
  (drive-say "answer" (drive-answer))
  (drive-say "mended" (drive-wait (lambda () (null (drive-errors))))))

(setq inhibit-message t)
(apply #'drive command-line-args-left)
(setq command-line-args-left nil)
(kill-emacs 0)
;;; drive.el ends here

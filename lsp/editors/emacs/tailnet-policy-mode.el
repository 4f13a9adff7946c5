;;; tailnet-policy-mode.el --- Tailnet policies, with their language server  -*- lexical-binding: t -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "26.3"))
;; Keywords: languages

;;; Commentary:

;; Policy files of Tailscale and headscale: `*.hujson', and what is named after them.  Works with
;; eglot (a part of Emacs 29) and with lsp-mode; the server `aclc-lsp' has to be on the path.
;;
;;   (require 'tailnet-policy-mode)
;;   (add-hook 'tailnet-policy-mode-hook #'eglot-ensure)   ; or #'lsp-deferred

;;; Code:

(require 'js)
(require 'seq)

(declare-function eglot-current-server "eglot")
(declare-function eglot--signal-textDocument/didChange "eglot")
(declare-function jsonrpc-request "jsonrpc")
(declare-function lsp-register-client "lsp-mode")
(declare-function make-lsp-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function lsp-activate-on "lsp-mode")
(declare-function lsp-request "lsp-mode")
(defvar eglot-current-linepos-function)
(defvar eglot-current-column-function)
(defvar eglot-server-programs)
(defvar lsp-language-id-configuration)

(defgroup tailnet-policy nil
  "Policy files of Tailscale and headscale."
  :group 'languages)

(defcustom tailnet-policy-server '("aclc-lsp")
  "The language server and its arguments."
  :type '(repeat string))

(defcustom tailnet-policy-settings nil
  "What the server is told, as a property list, in the words of `aclc.toml'.
For example (:nodes \"nodes.json\" :levels (:W0224 \"off\"))."
  :type 'plist)

(defconst tailnet-policy-font-lock
  `(("\\(\"[^\"\n]*\"\\)[ \t]*:" (1 'font-lock-constant-face t))
    (,(concat "\"\\(\\(?:group\\|tag\\|autogroup\\|ipset\\|svc\\|posture\\|host\\|user\\):\\)"
              "\\([^\":\n]*\\)")
     (1 'font-lock-keyword-face t) (2 'font-lock-type-face t))
    ("\"\\([^\"@: \n]+@[^\": \n]+\\)" (1 'font-lock-variable-name-face t))
    ("\\(?://\\|/\\*\\)[/* \t]*\\(aclc:[ \t]*\\(?:allow\\|expires\\|never\\|only\\|always\\)?\\)"
     (1 'font-lock-preprocessor-face t)))
  "Selectors in strings, and comments that are orders.")

;;;###autoload
(define-derived-mode tailnet-policy-mode js-mode "Tailnet policy"
  "Policy files of Tailscale and headscale: JSON with comments and trailing commas."
  (setq-local comment-start "// " comment-end "" indent-tabs-mode t tab-width 4 js-indent-level 4)
  (font-lock-add-keywords nil tailnet-policy-font-lock))

;;;###autoload
(dolist (names '("\\.hujson\\'"
                 "\\(?:tailscale\\|headscale\\|tailnet\\)[-_./]\\(?:acls?\\|policy\\)\\.jsonc?\\'"))
  (add-to-list 'auto-mode-alist (cons names 'tailnet-policy-mode)))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons '(tailnet-policy-mode :language-id "tailnet-policy")
                     (lambda (&rest _)
                       (append tailnet-policy-server
                               `(:initializationOptions ,(tailnet-policy--told)))))))

(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(tailnet-policy-mode . "tailnet-policy"))
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection (lambda () tailnet-policy-server))
                    :activation-fn (lsp-activate-on "tailnet-policy")
                    :initialization-options #'tailnet-policy--told
                    :server-id 'aclc)))

(defun tailnet-policy--told ()
  "What the server is told; an empty object where nothing is set."
  (or tailnet-policy-settings (make-hash-table)))

(defun tailnet-policy--ask (command &optional node)
  "Let the server run COMMAND at point, about device NODE, and show the answer."
  (let* ((eglot (and (fboundp 'eglot-current-server) (eglot-current-server)))
         (argument `(:uri ,(tailnet-policy--uri)
                     :position (:line ,(1- (line-number-at-pos nil t))
                                :character ,(tailnet-policy--column eglot))
                     ,@(and node `(:node ,node))))
         (params `(:command ,command :arguments [,argument])))
    ;; Changes wait until Emacs is idle; the answer is about the text as it is now.
    (when (and eglot (fboundp 'eglot--signal-textDocument/didChange))
      (eglot--signal-textDocument/didChange))
    (tailnet-policy--show
     (if eglot
         (jsonrpc-request eglot :workspace/executeCommand params)
       (lsp-request "workspace/executeCommand" params)))))

(defun tailnet-policy--uri ()
  "The file as the client in use names it to the server."
  (let ((name (seq-find #'fboundp '(eglot-path-to-uri eglot--path-to-uri lsp--path-to-uri))))
    (funcall name (buffer-file-name))))

(defun tailnet-policy--column (eglot)
  "The column of point as EGLOT has agreed on; in UTF-16 where that is nil."
  (cond ((and eglot (boundp 'eglot-current-linepos-function))
         (funcall eglot-current-linepos-function))
        ((and eglot (boundp 'eglot-current-column-function))
         (funcall eglot-current-column-function))
        (t (let ((before (buffer-substring (line-beginning-position) (point))))
             (/ (length (encode-coding-string before 'utf-16le)) 2)))))

(defun tailnet-policy--show (answer)
  "Show ANSWER, a property list or a hash table, in a buffer of its own."
  (let ((field (lambda (name)
                 (if (hash-table-p answer)
                     (gethash name answer)
                   (plist-get answer (intern (concat ":" name)))))))
    (with-current-buffer (get-buffer-create (format "*aclc: %s*" (funcall field "title")))
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert (funcall field "text"))
        (goto-char (point-min)))
      (special-mode)
      (display-buffer (current-buffer)))))

(defun tailnet-policy-show-tables (node)
  "Show the packet filter of NODE; of what point is on, where the name is empty."
  (interactive "sDevice: ")
  (tailnet-policy--ask "aclc.tables" (and (not (string= node "")) node)))

(defun tailnet-policy-who-can ()
  "Show who reaches what point is on."
  (interactive)
  (tailnet-policy--ask "aclc.whoCan"))

(defun tailnet-policy-diff ()
  "Show which access this edit gives and takes away."
  (interactive)
  (tailnet-policy--ask "aclc.diff"))

(provide 'tailnet-policy-mode)
;;; tailnet-policy-mode.el ends here

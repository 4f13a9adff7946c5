//! Tells Zed where the language server is and what it is to be told: `lsp.aclc` of Zed's settings,
//! else `aclc-lsp` on the path.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree, serde_json};

struct TailnetPolicy;

impl zed::Extension for TailnetPolicy {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)?.binary;
        let (path, args, set) = match binary {
            Some(it) => (it.path, it.arguments, it.env),
            None => (None, None, None),
        };
        let command = path
            .or_else(|| worktree.which("aclc-lsp"))
            .ok_or("`aclc-lsp` is not on the path; install it, or set `lsp.aclc.binary.path`")?;
        let mut env = worktree.shell_env();
        env.extend(set.unwrap_or_default());
        Ok(Command { command, args: args.unwrap_or_default(), env })
    }

    fn language_server_initialization_options(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        Ok(LspSettings::for_worktree(server.as_ref(), worktree)?.initialization_options)
    }

    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        let settings = LspSettings::for_worktree(server.as_ref(), worktree)?.settings;
        Ok(settings.map(|it| serde_json::json!({ "aclc": it })))
    }
}

zed::register_extension!(TailnetPolicy);

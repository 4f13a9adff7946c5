//! What the server says it can do, and what it makes of what the client can.

use tower_lsp::ls_types::*;

use super::commands;
use super::convert::{TOKEN_MODIFIERS, TOKEN_TYPES};
use super::text::Encoding;

/// The kind of the action that applies all safe fixes.
pub(super) const FIX_ALL: &str = "source.fixAll.aclc";

/// What the client can do, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Abilities {
    pub(super) encoding: Encoding,
    /// Whether it asks for findings itself.
    pub(super) pulls: bool,
    pub(super) snippets: bool,
    /// Whether edits can say which version of a document they are for.
    pub(super) versioned_edits: bool,
    /// Whether symbols may lie within each other.
    pub(super) nested_symbols: bool,
    pub(super) links: bool,
    /// Whether a finding's code can have a link.
    pub(super) links_codes: bool,
    /// Whether actions may get their edits later.
    pub(super) resolves_actions: bool,
    /// Whether files can be watched for us.
    pub(super) watches: bool,
    /// Whether settings can be asked for.
    pub(super) configuration: bool,
    pub(super) refreshes_findings: bool,
    pub(super) refreshes_hints: bool,
    pub(super) refreshes_lenses: bool,
}

impl Abilities {
    pub(super) fn of(client: &ClientCapabilities) -> Self {
        let document = client.text_document.as_ref();
        let workspace = client.workspace.as_ref();
        let general = client.general.as_ref();
        let item = document.and_then(|it| it.completion.as_ref()?.completion_item.as_ref());
        let action = document.and_then(|it| it.code_action.as_ref());
        let resolve = action.and_then(|it| it.resolve_support.as_ref());
        let is = |it: Option<bool>| it.unwrap_or(false);
        Self {
            encoding: Encoding::of(general.and_then(|it| it.position_encodings.as_deref())),
            pulls: document.is_some_and(|it| it.diagnostic.is_some()),
            snippets: is(item.and_then(|it| it.snippet_support)),
            versioned_edits: is(
                workspace.and_then(|it| it.workspace_edit.as_ref()?.document_changes)
            ),
            nested_symbols: is(document
                .and_then(|it| it.document_symbol.as_ref()?.hierarchical_document_symbol_support)),
            links: is(document.and_then(|it| it.definition.as_ref()?.link_support)),
            links_codes: is(
                document.and_then(|it| it.publish_diagnostics.as_ref()?.code_description_support)
            ),
            resolves_actions: is(action.and_then(|it| it.data_support))
                && resolve.is_some_and(|it| it.properties.iter().any(|it| it == "edit")),
            watches: is(
                workspace.and_then(|it| it.did_change_watched_files.as_ref()?.dynamic_registration)
            ),
            configuration: is(workspace.and_then(|it| it.configuration)),
            refreshes_findings: is(
                workspace.and_then(|it| it.diagnostics.as_ref()?.refresh_support)
            ),
            refreshes_hints: is(workspace.and_then(|it| it.inlay_hint.as_ref()?.refresh_support)),
            refreshes_lenses: is(workspace.and_then(|it| it.code_lens.as_ref()?.refresh_support)),
        }
    }
}

/// What is announced to a client.
pub(super) fn capabilities(client: &Abilities) -> ServerCapabilities {
    let words = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(words(&["\"", ":", "@", ",", "-", "'", "=", " "])),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
            SemanticTokensOptions {
                legend: SemanticTokensLegend {
                    token_types: TOKEN_TYPES.to_vec(),
                    token_modifiers: TOKEN_MODIFIERS.to_vec(),
                },
                range: Some(true),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            },
        )),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        document_formatting_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::new(FIX_ALL)]),
            resolve_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: words(&commands::NAMES),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        // Whoever asks would else see everything twice.
        diagnostic_provider: client.pulls.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("aclc".to_owned()),
                ..DiagnosticOptions::default()
            })
        }),
        ..ServerCapabilities::default()
    }
}

/// The files that the server wants to be told of.
pub(super) fn watched_files() -> Registration {
    let globs = ["**/aclc.toml", "**/*.json5", "**/*.json"];
    let watchers: Vec<_> = globs
        .iter()
        .map(|it| FileSystemWatcher {
            glob_pattern: GlobPattern::String((*it).to_owned()),
            kind: None,
        })
        .collect();
    let options = DidChangeWatchedFilesRegistrationOptions { watchers };
    Registration {
        id: "files".to_owned(),
        method: "workspace/didChangeWatchedFiles".to_owned(),
        register_options: serde_json::to_value(options).ok(),
    }
}

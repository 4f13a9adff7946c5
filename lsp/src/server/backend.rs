//! One method for each message: the newest text is waited for, a feature asked, its answer converted.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::*;
use tower_lsp::{Client, LanguageServer};

use super::capabilities::{Abilities, FIX_ALL, capabilities, watched_files};
use super::commands::{self, Argument};
use super::convert;
use super::documents::{Documents, Session, Snapshot};
use super::findings;
use super::settings::Editor;
use super::transport::Outgoing;
use crate::features::{
    actions, completion, definition, folding, format, hints, hover, lenses, links, references,
    rename, selection, symbols, tokens,
};

/// The server of one client.
pub(super) struct Backend {
    client: Client,
    documents: Documents,
    begun: OnceLock<Begun>,
}

/// What the client said at the beginning.
#[derive(Default)]
struct Begun {
    abilities: Abilities,
    /// The folder that relative paths of settings begin in.
    folder: Option<PathBuf>,
}

impl Backend {
    pub(super) fn new(client: Client, findings: Outgoing) -> Self {
        let documents = Documents::new(client.clone(), findings);
        Self { client, documents, begun: OnceLock::new() }
    }

    fn abilities(&self) -> Abilities {
        self.begun.get().map(|it| it.abilities).unwrap_or_default()
    }

    /// Asks about the newest text of a document, beside the loop; nothing for one that is not open.
    async fn ask<T: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        self.ask_of(self.documents.snapshot(uri, false).await, question).await
    }

    /// The same, where everything there is to say of the text matters.
    async fn ask_all<T: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        self.ask_of(self.documents.snapshot(uri, true).await, question).await
    }

    async fn ask_of<T: Send + 'static>(
        &self,
        snapshot: Option<Arc<Snapshot>>,
        question: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        let Some(snapshot) = snapshot else { return Ok(None) };
        let answer = tokio::task::spawn_blocking(move || question(&snapshot));
        answer.await.map(Some).map_err(|_| Error::internal_error())
    }

    /// Takes settings, and says what of them is wrong.
    async fn configure(&self, value: &Value) {
        let folder = self.begun.get().and_then(|it| it.folder.as_deref());
        let (editor, problems) = Editor::read(value, folder);
        self.documents.configure(editor);
        for problem in problems {
            self.client.show_message(MessageType::WARNING, problem).await;
        }
    }
}

/// The folder of the workspace.
fn folder(params: &InitializeParams) -> Option<PathBuf> {
    #[allow(deprecated, reason = "older clients know nothing else")]
    let root = params.root_uri.as_ref();
    let first = params.workspace_folders.as_ref().and_then(|it| it.first()).map(|it| &it.uri);
    first.or(root).and_then(Uri::to_file_path).map(std::borrow::Cow::into_owned)
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let abilities = Abilities::of(&params.capabilities);
        let folder = folder(&params);
        let options = params.initialization_options.unwrap_or(Value::Null);
        let (editor, problems) = Editor::read(&options, folder.as_deref());
        self.documents.begin(
            Session {
                encoding: abilities.encoding,
                pushes: !abilities.pulls,
                links_codes: abilities.links_codes,
                refreshes_findings: abilities.pulls && abilities.refreshes_findings,
                refreshes_hints: abilities.refreshes_hints,
                refreshes_lenses: abilities.refreshes_lenses,
            },
            editor,
        );
        let _ = self.begun.set(Begun { abilities, folder });
        for problem in problems {
            self.client.show_message(MessageType::WARNING, problem).await;
        }
        Ok(InitializeResult {
            capabilities: capabilities(&abilities),
            server_info: Some(ServerInfo {
                name: "aclc-lsp".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if self.abilities().watches {
            let _ = self.client.register_capability(vec![watched_files()]).await;
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.documents.open(params.text_document);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.documents.change(&document.uri, document.version, params.content_changes);
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.documents.look_again(&params.text_document.uri);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.documents.close(params.text_document.uri).await;
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        // A client that sends nothing wants to be asked.
        if params.settings.is_null() && self.abilities().configuration {
            let item = ConfigurationItem { scope_uri: None, section: Some("aclc".to_owned()) };
            if let Ok(values) = self.client.configuration(vec![item]).await {
                self.configure(values.first().unwrap_or(&Value::Null)).await;
            }
            return;
        }
        self.configure(&params.settings).await;
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let paths = params.changes.iter().filter_map(|it| it.uri.to_file_path());
        let paths: Vec<PathBuf> = paths.map(std::borrow::Cow::into_owned).collect();
        self.documents.changed_on_disk(&paths);
    }

    async fn diagnostic(
        &self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReportResult> {
        let before = params.previous_result_id;
        let report = self.ask_all(&params.text_document.uri, move |snapshot| {
            let id = snapshot.result_id();
            if before.as_ref() == Some(&id) {
                return unchanged(id);
            }
            full(Some(id), findings::told(snapshot))
        });
        Ok(report.await?.unwrap_or_else(|| full(None, Vec::new())).into())
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let TextDocumentPositionParams { text_document, position } = params.text_document_position;
        let client = self.abilities();
        self.ask(&text_document.uri, move |it| {
            let found = completion::completions(&it.analysis, it.offset(position));
            convert::completions(it, found, &client)
        })
        .await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let TextDocumentPositionParams { text_document, position } =
            params.text_document_position_params;
        let found = self.ask(&text_document.uri, move |it| {
            let found = hover::hover(&it.analysis, it.offset(position))?;
            let value = found.markdown;
            let contents =
                HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
            Some(Hover { contents, range: Some(it.range(found.span)) })
        });
        Ok(found.await?.flatten())
    }

    async fn goto_definition(
        &self,
        params: GotoDefinitionParams,
    ) -> Result<Option<GotoDefinitionResponse>> {
        let TextDocumentPositionParams { text_document, position } =
            params.text_document_position_params;
        let client = self.abilities();
        let found = self.ask(&text_document.uri, move |it| {
            let found = definition::definition(&it.analysis, it.offset(position))?;
            let uri = it.uri.clone();
            Some(if client.links {
                GotoDefinitionResponse::Link(vec![LocationLink {
                    origin_selection_range: Some(it.range(found.from)),
                    target_uri: uri,
                    target_range: it.range(found.whole),
                    target_selection_range: it.range(found.to),
                }])
            } else {
                GotoDefinitionResponse::Scalar(Location { uri, range: it.range(found.to) })
            })
        });
        Ok(found.await?.flatten())
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let TextDocumentPositionParams { text_document, position } = params.text_document_position;
        let definitions = params.context.include_declaration;
        self.ask(&text_document.uri, move |it| {
            let found = references::references(&it.analysis, it.offset(position)).into_iter();
            let found = found.filter(|reference| definitions || !reference.definition);
            let location = |span| Location { uri: it.uri.clone(), range: it.range(span) };
            found.map(|reference| location(reference.span)).collect()
        })
        .await
    }

    async fn document_highlight(
        &self,
        params: DocumentHighlightParams,
    ) -> Result<Option<Vec<DocumentHighlight>>> {
        let TextDocumentPositionParams { text_document, position } =
            params.text_document_position_params;
        self.ask(&text_document.uri, move |it| {
            let found = references::references(&it.analysis, it.offset(position)).into_iter();
            let highlight = |reference: references::Reference| DocumentHighlight {
                range: it.range(reference.span),
                kind: Some(if reference.definition {
                    DocumentHighlightKind::WRITE
                } else {
                    DocumentHighlightKind::READ
                }),
            };
            found.map(highlight).collect()
        })
        .await
    }

    async fn prepare_rename(
        &self,
        params: TextDocumentPositionParams,
    ) -> Result<Option<PrepareRenameResponse>> {
        let found = self.ask(&params.text_document.uri, move |it| {
            let found = rename::prepare(&it.analysis, it.offset(params.position))?;
            let (range, placeholder) = (it.range(found.span), found.name);
            Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder })
        });
        Ok(found.await?.flatten())
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let TextDocumentPositionParams { text_document, position } = params.text_document_position;
        let client = self.abilities();
        let renamed = self.ask(&text_document.uri, move |it| {
            let edits = rename::rename(&it.analysis, it.offset(position), &params.new_name)?;
            Ok(convert::workspace_edit(it, &edits, &client))
        });
        renamed.await?.transpose().map_err(commands::failed)
    }

    async fn document_symbol(
        &self,
        params: DocumentSymbolParams,
    ) -> Result<Option<DocumentSymbolResponse>> {
        let nested = self.abilities().nested_symbols;
        self.ask(&params.text_document.uri, move |it| {
            let found = symbols::outline(&it.analysis).into_iter();
            if nested {
                let all = found.map(|symbol| convert::nested_symbol(it, symbol));
                return DocumentSymbolResponse::Nested(all.collect());
            }
            let mut all = Vec::new();
            found.for_each(|symbol| convert::flat_symbols(it, symbol, None, &mut all));
            DocumentSymbolResponse::Flat(all)
        })
        .await
    }

    async fn symbol(
        &self,
        params: WorkspaceSymbolParams,
    ) -> Result<Option<WorkspaceSymbolResponse>> {
        let mut all = Vec::new();
        for uri in self.documents.uris() {
            let query = params.query.clone();
            let found = self.ask(&uri, move |it| {
                let mut found = Vec::new();
                for symbol in symbols::definitions(&it.analysis, &query) {
                    convert::flat_symbols(it, symbol, None, &mut found);
                }
                found
            });
            all.extend(found.await?.into_iter().flatten());
        }
        Ok(Some(WorkspaceSymbolResponse::Flat(all)))
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask(&params.text_document.uri, |it| {
            let fold = |fold: folding::Fold| FoldingRange {
                start_line: fold.first,
                end_line: fold.last,
                kind: fold.comment.then_some(FoldingRangeKind::Comment),
                ..FoldingRange::default()
            };
            folding::folds(&it.analysis).into_iter().map(fold).collect()
        })
        .await
    }

    async fn selection_range(
        &self,
        params: SelectionRangeParams,
    ) -> Result<Option<Vec<SelectionRange>>> {
        self.ask(&params.text_document.uri, move |it| {
            let around = |position: &Position| {
                let spans = selection::selections(&it.analysis, it.offset(*position));
                let mut parent = None;
                for span in spans.into_iter().rev() {
                    let range = it.range(span);
                    parent = Some(SelectionRange { range, parent: parent.map(Box::new) });
                }
                let here = Range::new(*position, *position);
                parent.unwrap_or(SelectionRange { range: here, parent: None })
            };
            params.positions.iter().map(around).collect()
        })
        .await
    }

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> Result<Option<SemanticTokensResult>> {
        self.ask(&params.text_document.uri, |it| {
            let whole = it.analysis.tree().root().span();
            convert::tokens(it, tokens::tokens(&it.analysis, whole)).into()
        })
        .await
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        self.ask(&params.text_document.uri, move |it| {
            convert::tokens(it, tokens::tokens(&it.analysis, it.span(params.range))).into()
        })
        .await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(&params.text_document.uri, move |it| {
            let hint = |hint: hints::Hint| InlayHint {
                position: it.position(hint.offset),
                label: InlayHintLabel::String(hint.label),
                kind: None,
                text_edits: None,
                tooltip: None,
                padding_left: Some(true),
                padding_right: None,
                data: None,
            };
            hints::hints(&it.analysis, it.span(params.range)).into_iter().map(hint).collect()
        })
        .await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(&params.text_document.uri, |it| {
            let found = lenses::lenses(&it.analysis).into_iter();
            found.map(|lens| convert::lens(it, lens)).collect()
        })
        .await
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        self.ask(&params.text_document.uri, |it| {
            let link = |link: links::Link| {
                let target = Some(link.target.parse().ok()?);
                let range = it.range(link.span);
                Some(DocumentLink { range, target, tooltip: None, data: None })
            };
            links::links(&it.analysis).into_iter().filter_map(link).collect()
        })
        .await
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let formatted = self.ask(&params.text_document.uri, |it| {
            Some(convert::edits(it, &format::format(&it.analysis)?))
        });
        Ok(formatted.await?.flatten())
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let client = self.abilities();
        self.ask(&params.text_document.uri, move |it| {
            let only = params.context.only;
            let wanted = |kind: &str| {
                let within = |it: &CodeActionKind| {
                    let asked = it.as_str();
                    kind == asked || kind.strip_prefix(asked).is_some_and(|it| it.starts_with('.'))
                };
                only.as_ref().is_none_or(|it| it.iter().any(within))
            };
            let mut found = Vec::new();
            if wanted(CodeActionKind::QUICKFIX.as_str()) {
                found.extend(actions::actions(&it.analysis, it.span(params.range)));
            }
            let mut answer: CodeActionResponse =
                found.into_iter().map(|action| convert::action(it, action, &client)).collect();
            if wanted(FIX_ALL) {
                answer.extend(fix_all(it, &client));
            }
            answer
        })
        .await
    }

    async fn code_action_resolve(&self, mut action: CodeAction) -> Result<CodeAction> {
        let uri = action.data.as_ref().and_then(|it| it.get("uri").cloned());
        let Some(uri) = uri.and_then(|it| serde_json::from_value(it).ok()) else {
            return Ok(action);
        };
        let client = self.abilities();
        let edit = self.ask(&uri, move |it| {
            let edits = actions::fix_all(&it.analysis).map(|it| it.edits).unwrap_or_default();
            convert::workspace_edit(it, &edits, &client)
        });
        action.edit = edit.await?;
        Ok(action)
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        let argument = Argument::read(&params.command, params.arguments)?;
        let uri = argument.uri.clone();
        let answer = self.ask_all(&uri, move |it| commands::run(&params.command, &argument, it));
        match answer.await? {
            Some(answer) => answer.map(Some),
            None => Err(commands::failed(format!("`{}` is not open", uri.as_str()))),
        }
    }
}

/// The action that applies all safe fixes; its edits come later where the client can wait for them.
fn fix_all(snapshot: &Snapshot, client: &Abilities) -> Option<CodeActionOrCommand> {
    if !client.resolves_actions {
        let action = actions::fix_all(&snapshot.analysis)?;
        return Some(convert::action(snapshot, action, client));
    }
    actions::can_fix(&snapshot.analysis).then(|| {
        CodeActionOrCommand::CodeAction(CodeAction {
            title: actions::FIX_ALL.to_owned(),
            kind: Some(CodeActionKind::new(FIX_ALL)),
            data: Some(json!({ "uri": snapshot.uri })),
            ..CodeAction::default()
        })
    })
}

fn full(result_id: Option<String>, items: Vec<Diagnostic>) -> DocumentDiagnosticReport {
    DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id, items },
    })
}

fn unchanged(result_id: String) -> DocumentDiagnosticReport {
    DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
        related_documents: None,
        unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
    })
}

//! Answers of the features → types of the protocol.

use std::collections::HashMap;
use std::fmt::Write as _;

use compiler::diagnostic::{self, Edit, Severity};
use compiler::span::Span;
use serde_json::json;
use tower_lsp::ls_types::*;

use super::capabilities::{Abilities, FIX_ALL};
use super::commands;
use super::documents::Snapshot;
use super::pages::Pages;
use crate::features::actions::{Action, ActionKind};
use crate::features::completion::{Completions, Item, ItemKind};
use crate::features::lenses::Lens;
use crate::features::pieces::Meaning;
use crate::features::shape::Named;
use crate::features::symbols::{self, Symbol};
use crate::features::tokens::Token;

/// One finding of a file.
pub(super) fn diagnostic(
    found: &diagnostic::Diagnostic,
    uri: &Uri,
    range: &dyn Fn(Span) -> Range,
    pages: Option<&Pages>,
) -> Diagnostic {
    let mut message = found.message.clone();
    for more in found.label.iter().chain(&found.help) {
        message.push('\n');
        message.push_str(more);
    }
    let related = found.related.iter().map(|it| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: range(it.span) },
        message: it.text.clone(),
    });
    let name = found.code.name();
    // What is there and does nothing is shown faded.
    let unused = matches!(name, "W1101" | "W1102" | "W1103" | "W1104" | "W1105");
    Diagnostic {
        range: range(found.span),
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(format!("acl/{name}"))),
        code_description: pages.and_then(|it| it.of(found.code)),
        source: Some("aclc".to_owned()),
        message,
        related_information: (!found.related.is_empty()).then(|| related.collect()),
        tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Diagnostic::default()
    }
}

/// Edits of a text.
pub(super) fn edits(snapshot: &Snapshot, edits: &[Edit]) -> Vec<TextEdit> {
    edits.iter().map(|it| TextEdit::new(snapshot.range(it.span), it.text.clone())).collect()
}

/// Edits of a text as a change of the workspace.
pub(super) fn workspace_edit(
    snapshot: &Snapshot,
    changes: &[Edit],
    client: &Abilities,
) -> WorkspaceEdit {
    let edits = edits(snapshot, changes);
    if !client.versioned_edits {
        let changes = HashMap::from([(snapshot.uri.clone(), edits)]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let edit = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier {
            uri: snapshot.uri.clone(),
            version: Some(snapshot.version),
        },
        edits: edits.into_iter().map(OneOf::Left).collect(),
    };
    WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(vec![edit])),
        ..WorkspaceEdit::default()
    }
}

pub(super) fn completions(
    snapshot: &Snapshot,
    found: Completions,
    client: &Abilities,
) -> CompletionResponse {
    let items = found.items.into_iter().enumerate();
    CompletionResponse::List(CompletionList {
        is_incomplete: found.incomplete,
        items: items.map(|(at, it)| item(snapshot, at, it, client)).collect(),
    })
}

fn item(snapshot: &Snapshot, at: usize, item: Item, client: &Abilities) -> CompletionItem {
    let kind = match item.kind {
        ItemKind::Field => CompletionItemKind::FIELD,
        ItemKind::Entry => CompletionItemKind::SNIPPET,
        ItemKind::Name => CompletionItemKind::REFERENCE,
        ItemKind::User => CompletionItemKind::VARIABLE,
        ItemKind::Word => CompletionItemKind::KEYWORD,
        ItemKind::Value => CompletionItemKind::VALUE,
    };
    let caret = item.caret.filter(|_| client.snippets);
    let new_text = match caret {
        Some(_) if !item.stops.is_empty() => with_stops(&item.text, &item.stops),
        Some(caret) => {
            let (before, behind) = item.text.split_at_checked(caret).unwrap_or((&item.text, ""));
            format!("{}$0{}", in_snippet(before), in_snippet(behind))
        }
        None => item.text,
    };
    let documentation = item.documentation.map(|value| {
        Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
    });
    CompletionItem {
        label: item.label,
        kind: Some(kind),
        detail: item.detail,
        documentation,
        sort_text: Some(format!("{at:05}")),
        filter_text: Some(item.filter),
        insert_text_format: Some(match caret {
            Some(_) => InsertTextFormat::SNIPPET,
            None => InsertTextFormat::PLAIN_TEXT,
        }),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(
            snapshot.range(item.span),
            new_text,
        ))),
        // What comes next is offered without being asked for, where editors know this command.
        command: (item.goes_on && caret.is_some()).then(|| Command {
            title: "complete".to_owned(),
            command: "editor.action.triggerSuggest".to_owned(),
            arguments: None,
        }),
        ..CompletionItem::default()
    }
}

/// A text with places that one goes through; what stands at one is chosen, so that typing replaces it.
fn with_stops(text: &str, stops: &[std::ops::Range<usize>]) -> String {
    let mut snippet = String::with_capacity(text.len() * 2);
    let mut end = 0;
    for (number, stop) in (1..).zip(stops) {
        snippet.push_str(&in_snippet(text.get(end..stop.start).unwrap_or_default()));
        let inner = text.get(stop.clone()).unwrap_or_default();
        let _ = match inner {
            "" => write!(snippet, "${number}"),
            inner => write!(snippet, "${{{number}:{}}}", in_snippet(inner)),
        };
        end = stop.end;
    }
    snippet.push_str(&in_snippet(text.get(end..).unwrap_or_default()));
    snippet.push_str("$0");
    snippet
}

/// A text as it stands in a snippet.
fn in_snippet(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

/// An action; without edits where they come later.
pub(super) fn action(
    snapshot: &Snapshot,
    action: Action,
    client: &Abilities,
) -> CodeActionOrCommand {
    let found = action.mends.and_then(|it| snapshot.analysis.diagnostics().get(it));
    let range = |span: Span| snapshot.range(span);
    CodeActionOrCommand::CodeAction(CodeAction {
        title: action.title,
        kind: Some(match action.kind {
            ActionKind::Fix => CodeActionKind::QUICKFIX,
            ActionKind::FixAll => CodeActionKind::new(FIX_ALL),
        }),
        diagnostics: found
            .map(|it| vec![diagnostic(it, &snapshot.uri, &range, snapshot.pages.as_deref())]),
        edit: Some(workspace_edit(snapshot, &action.edits, client)),
        is_preferred: action.preferred.then_some(true),
        ..CodeAction::default()
    })
}

pub(super) fn lens(snapshot: &Snapshot, lens: Lens) -> CodeLens {
    let range = snapshot.range(lens.span);
    let argument = json!({ "uri": snapshot.uri, "position": snapshot.position(lens.span.end) });
    CodeLens {
        range,
        command: Some(Command {
            title: lens.title,
            command: commands::of_lens(lens.run).to_owned(),
            arguments: Some(vec![argument]),
        }),
        data: None,
    }
}

fn symbol_kind(kind: symbols::SymbolKind) -> SymbolKind {
    match kind {
        symbols::SymbolKind::Section => SymbolKind::NAMESPACE,
        symbols::SymbolKind::Entry => SymbolKind::OBJECT,
        symbols::SymbolKind::Setting => SymbolKind::PROPERTY,
        symbols::SymbolKind::Name(named) => match named {
            Named::Group => SymbolKind::CLASS,
            Named::Tag => SymbolKind::KEY,
            Named::Host => SymbolKind::CONSTANT,
            Named::Ipset => SymbolKind::ARRAY,
            Named::Posture => SymbolKind::INTERFACE,
            Named::Service => SymbolKind::MODULE,
            Named::User => SymbolKind::VARIABLE,
        },
    }
}

/// A symbol with those that lie within it.
pub(super) fn nested_symbol(snapshot: &Snapshot, symbol: Symbol) -> DocumentSymbol {
    let children = symbol.children.into_iter().map(|it| nested_symbol(snapshot, it));
    #[allow(deprecated, reason = "the struct has a field that is no longer used")]
    DocumentSymbol {
        name: symbol.name,
        detail: symbol.detail,
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        range: snapshot.range(symbol.span),
        selection_range: snapshot.range(symbol.name_span),
        children: Some(children.collect()),
    }
}

/// A symbol and those that lie within it, one behind the other.
pub(super) fn flat_symbols(
    snapshot: &Snapshot,
    symbol: Symbol,
    around: Option<&str>,
    found: &mut Vec<SymbolInformation>,
) {
    #[allow(deprecated, reason = "the struct has a field that is no longer used")]
    found.push(SymbolInformation {
        name: symbol.name.clone(),
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        location: Location { uri: snapshot.uri.clone(), range: snapshot.range(symbol.span) },
        container_name: around.map(str::to_owned),
    });
    for child in symbol.children {
        flat_symbols(snapshot, child, Some(&symbol.name), found);
    }
}

/// The types of tokens, in the order of their numbers.
pub(super) const TOKEN_TYPES: [SemanticTokenType; 12] = [
    SemanticTokenType::PROPERTY,
    SemanticTokenType::CLASS,
    SemanticTokenType::TYPE,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::ENUM,
    SemanticTokenType::INTERFACE,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::NUMBER,
    SemanticTokenType::KEYWORD,
    SemanticTokenType::STRING,
];

/// The modifiers of tokens, in the order of their bits.
pub(super) const TOKEN_MODIFIERS: [SemanticTokenModifier; 2] =
    [SemanticTokenModifier::DEFINITION, SemanticTokenModifier::DEFAULT_LIBRARY];

const DEFINITION: u32 = 1;
const OF_TAILSCALE: u32 = 2;

/// The number of a token's type, and its modifiers.
fn token_type(meaning: &Meaning) -> (u32, u32) {
    let named = |named: &Named| match named {
        Named::Group => 1,
        Named::Tag => 2,
        Named::Host => 3,
        Named::Ipset => 4,
        Named::Posture => 5,
        Named::Service => 6,
        Named::User => 7,
    };
    match meaning {
        Meaning::Field(_) => (0, 0),
        Meaning::Name(it) => (named(it), 0),
        Meaning::Definition(it) => (named(it), DEFINITION),
        Meaning::Autogroup(_) | Meaning::Any | Meaning::Domain => (8, OF_TAILSCALE),
        Meaning::Address | Meaning::Ports => (9, 0),
        Meaning::Protocol | Meaning::Word => (10, 0),
        Meaning::Attribute | Meaning::Capability => (0, OF_TAILSCALE),
        Meaning::Operand => (11, 0),
    }
}

/// Tokens in the protocol's form: each relative to the one before.
pub(super) fn tokens(snapshot: &Snapshot, tokens: Vec<Token>) -> SemanticTokens {
    let (mut line, mut column) = (0, 0);
    let mut data = Vec::with_capacity(tokens.len());
    for token in tokens.iter().filter(|it| it.known) {
        let range = snapshot.range(token.span);
        let (token_type, modifiers) = token_type(&token.meaning);
        let delta_line = range.start.line - line;
        let before = if delta_line == 0 { column } else { 0 };
        data.push(SemanticToken {
            delta_line,
            delta_start: range.start.character.saturating_sub(before),
            length: range.end.character.saturating_sub(range.start.character),
            token_type,
            token_modifiers_bitset: modifiers,
        });
        (line, column) = (range.start.line, range.start.character);
    }
    SemanticTokens { result_id: None, data }
}

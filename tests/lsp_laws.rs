//! Laws of the features of an editor, on the policies of all cases and on generated ones; and a soak: a
//! long run of random edits, after which the server knows what it would know of the text afresh.
//!
//! `ACLC_SOAK=50000` makes as many edits; without it there are as many as a minute of all tests allows.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "a test may stop at anything, and says how far it came"
)]

use std::path::Path;
use std::sync::Arc;

use compiler::cst::{self, edit};
use compiler::diagnostic::{Diagnostic, Edit, Severity};
use compiler::span::Span;
use lsp::features::{
    Analysis, Settings, actions, completion, definition, folding, format, hints, hover, lenses,
    links, references, rename, selection, symbols, tokens,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tests::editor::{self, Editor, uri};
use tests::generator::worlds;
use tests::{entries, name, read_text, root};

/// The policies of the cases and the examples that are UTF-8.
fn policies() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["tests/tables", "tests/diagnostics", "examples"] {
        for case in entries(&root().join(folder)).unwrap() {
            if let Ok(text) = read_text(&case.join("policy.hujson")) {
                found.push((name(&case).to_owned(), text));
            }
        }
    }
    assert!(found.len() > 100);
    found
}

fn analysis(text: &str) -> Analysis {
    let settings = Settings { lints: true, ..Settings::default() };
    Analysis::new(text, Arc::new(settings))
}

fn errors(analysis: &Analysis) -> usize {
    let all: &[Diagnostic] = analysis.diagnostics();
    all.iter().filter(|it| it.severity == Severity::Error).count()
}

/// Numbers that look random and are the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

/// What stays of a text outside of edits is what was there, and the edits are in order.
fn assert_minimal(text: &str, edits: &[Edit], old: &str) {
    for (one, next) in edits.iter().zip(edits.iter().skip(1)) {
        assert!(one.span.end <= next.span.start, "{one:?} {next:?}");
    }
    for it in edits {
        // Where no escapes hide the name, nothing but the name is replaced.
        let written = it.span.of(text);
        assert!(written.eq_ignore_ascii_case(old) || written.contains('\\'), "{written} {old}");
    }
}

/// Renames every name of a policy, and back.
fn rename_all(text: &str) {
    let before = analysis(text);
    let names = before.names();
    for (name, id) in names.ids() {
        let Some(place) = names.definition(id).or(names.places(id).next()) else { continue };
        let new = match name.named.prefix() {
            "" if name.text.contains('@') => "renamed-user@example.com".to_owned(),
            "" => "renamed-host".to_owned(),
            prefix => format!("{prefix}renamed-name"),
        };
        let Ok(edits) = rename::rename(&before, place.span.start, &new) else {
            continue;
        };
        assert_minimal(text, &edits, &name.text);
        let renamed = edit::apply(text, &edits).unwrap();
        let after = analysis(&renamed);
        // A domain that a user leaves, or a lint about the name, is no error.
        assert!(errors(&after) <= errors(&before), "{} in {text}", name.text);
        if before.checked().valid().is_some() {
            assert!(after.checked().valid().is_some(), "{} in {text}", name.text);
        }
        let plain = edits.iter().all(|it| it.span.of(text) == &*name.text);
        if plain && name.named.prefix() != "tag:" {
            let there = after.names().find(name.named, &new).unwrap();
            let place = after.names().places(there).next().unwrap().span.start;
            // A name that nobody should have, such as one with a tab, is not given again.
            if let Ok(back) = rename::rename(&after, place, &name.text) {
                assert_eq!(edit::apply(&renamed, &back).unwrap(), text);
            }
        }
    }
}

#[test]
fn renaming_keeps_every_other_byte_and_compiles() {
    for (_, text) in policies() {
        rename_all(&text);
    }
}

#[test]
fn fixes_bring_no_error_and_fixing_all_is_what_the_command_does() {
    for (case, text) in policies() {
        let before = analysis(&text);
        let whole = before.tree().root().span();
        for action in actions::actions(&before, whole) {
            let mended = edit::apply(&text, &action.edits).unwrap();
            let gone: usize = action.edits.iter().map(|it| it.span.len() as usize).sum();
            let come: usize = action.edits.iter().map(|it| it.text.len()).sum();
            assert_eq!(mended.len(), text.len() - gone + come, "{case}: {}", action.title);
            // Of a text that compiles, what mends it compiles.
            if before.checked().valid().is_some() {
                let after = analysis(&mended);
                assert!(after.checked().valid().is_some(), "{case}: {}", action.title);
            }
        }
        if let Some(action) = actions::fix_all(&before) {
            let settings = Settings { lints: true, ..Settings::default() };
            let fixed = compiler::fix::fix(&text, &settings.options(), compiler::fix::Reach::Safe);
            assert_eq!(edit::apply(&text, &action.edits).unwrap(), fixed.text(), "{case}");
        }
    }
}

#[test]
fn formatting_is_that_of_the_command() {
    for (case, text) in policies() {
        let edits = format::format(&analysis(&text));
        let formatted = edits.map(|it| edit::apply(&text, &it).unwrap());
        assert_eq!(formatted, cst::format(&text), "{case}");
    }
}

/// Asks every feature at a place.
fn ask_everything(analysis: &Analysis, offset: u32) {
    let here = Span::at(offset);
    for item in completion::completions(analysis, offset).items {
        assert!(item.span.start <= offset && offset <= item.span.end, "{item:?}");
        assert!(!item.span.of(analysis.text()).contains('\n'), "{item:?}");
        assert!(item.caret.is_none_or(|it| it <= item.text.len()), "{item:?}");
    }
    if let Some(found) = hover::hover(analysis, offset) {
        assert!(found.span.touches(offset));
    }
    definition::definition(analysis, offset);
    references::references(analysis, offset);
    rename::prepare(analysis, offset);
    actions::actions(analysis, here);
    let around = selection::selections(analysis, offset);
    for (inner, outer) in around.iter().zip(around.iter().skip(1)) {
        assert!(outer.start <= inner.start && inner.end <= outer.end, "{around:?}");
    }
}

/// Asks every feature about a whole text.
fn ask_all(analysis: &Analysis) {
    let whole = analysis.tree().root().span();
    symbols::outline(analysis);
    symbols::definitions(analysis, "");
    folding::folds(analysis);
    hints::hints(analysis, whole);
    lenses::lenses(analysis);
    links::links(analysis);
    format::format(analysis);
    let tokens = tokens::tokens(analysis, whole);
    for (one, next) in tokens.iter().zip(tokens.iter().skip(1)) {
        assert!(one.span.end <= next.span.start, "{one:?} {next:?}");
    }
}

#[test]
fn every_feature_answers_in_half_written_texts() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (_, text) in policies() {
        let ends: Vec<usize> = text.char_indices().map(|it| it.0).collect();
        for _ in 0..3 {
            let Some(end) = ends.get(random.below(ends.len())) else { continue };
            // The end is missing, or a piece in the middle.
            let behind = ends[random.below(ends.len())].max(*end);
            for broken in [text[..*end].to_owned(), format!("{}{}", &text[..*end], &text[behind..])]
            {
                let analysis = analysis(&broken);
                ask_all(&analysis);
                ask_everything(&analysis, *end as u32);
                ask_everything(&analysis, random.below(end + 1).min(broken.len()) as u32);
            }
        }
    }
}

#[test]
fn what_is_completed_is_what_may_stand_there() {
    // Every selector of a policy without errors, replaced by each that is offered there.
    for folder in ["company", "homelab"] {
        let text = read_text(&root().join("examples").join(folder).join("policy.hujson")).unwrap();
        let before = analysis(&text);
        assert!(before.checked().valid().is_some());
        let file = &before.policy().file;
        let grants = file.grants.iter().flatten();
        let places = grants.flat_map(|it| it.src.iter().chain(&it.dst)).map(|it| it.span);
        for place in places.take(8) {
            for item in completion::completions(&before, place.end).items {
                let edits = [Edit { span: item.span, text: item.text.clone() }];
                let completed = analysis(&edit::apply(&text, &edits).unwrap());
                let new: Vec<&str> = completed
                    .diagnostics()
                    .iter()
                    .filter(|it| it.severity == Severity::Error)
                    .map(|it| it.code.name())
                    .collect();
                // What depends on the rest of the rule no place can know: whose own devices are meant.
                assert!(
                    new.iter().all(|it| *it == "E0402" || it.starts_with("E04")),
                    "{item:?} {new:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_policies_can_be_renamed(world in worlds()) {
        let text = serde_json::to_string_pretty(&world.policy).unwrap();
        rename_all(&text);
        let analysis = analysis(&text);
        ask_all(&analysis);
    }
}

/// A text and the edits an editor makes of it.
struct Soak {
    editor: Editor,
    uri: String,
    text: String,
    version: i64,
    random: Random,
}

impl Soak {
    fn position(&self, offset: usize) -> Value {
        let before = &self.text[..offset];
        let line = before.matches('\n').count();
        let column = &before[before.rfind('\n').map_or(0, |it| it + 1)..];
        json!({"line": line, "character": column.encode_utf16().count()})
    }

    fn place(&mut self) -> usize {
        let mut at = self.random.below(self.text.len() + 1);
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// Changes something: takes a piece away, writes one, writes one from elsewhere again.
    fn change(&mut self, original: &str) {
        const PIECES: [&str; 16] = [
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\n",
            "\"tag:",
            "// ",
            "/*",
            "*/",
            "ü",
            "𝒳",
            "group:eng",
            " ",
        ];
        let start = self.place();
        let mut end = (start + self.random.below(12)).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let new = match self.random.below(4) {
            0 => String::new(),
            1 | 2 => PIECES[self.random.below(PIECES.len())].to_owned(),
            _ => {
                let from = self.random.below(original.len());
                let to = (from + self.random.below(60)).min(original.len());
                original.get(from..to).unwrap_or("x").to_owned()
            }
        };
        // The text stays as long as it is.
        let end =
            if self.text.len() > original.len() * 2 { end } else { start.max(end.min(start + 3)) };
        let end = if self.text.is_char_boundary(end) { end } else { start };
        let range = json!({"start": self.position(start), "end": self.position(end)});
        self.text.replace_range(start..end, &new);
        self.version += 1;
        self.editor
            .notify(
                "textDocument/didChange",
                json!({
                    "textDocument": {"uri": self.uri, "version": self.version},
                    "contentChanges": [{"range": range, "text": new}],
                }),
            )
            .unwrap();
    }

    /// Everything the server knows of a document.
    fn known(&mut self, uri: &str) -> Vec<Value> {
        let document = json!({"textDocument": {"uri": uri}});
        let methods = [
            "textDocument/diagnostic",
            "textDocument/documentSymbol",
            "textDocument/semanticTokens/full",
            "textDocument/foldingRange",
        ];
        let known = methods.map(|it| self.editor.request(it, document.clone()).unwrap().unwrap());
        let known = known.map(|it| it.get("items").cloned().unwrap_or(it));
        let text = serde_json::to_string(&known).unwrap().replace(uri, "the document");
        serde_json::from_str(&text).unwrap()
    }

    /// The same of the same text, opened anew.
    fn afresh(&mut self, folder: &Path) -> Vec<Value> {
        let fresh = uri(&folder.join("fresh.hujson"));
        let document =
            json!({"uri": fresh, "languageId": "tailnet-policy", "version": 1, "text": self.text});
        self.editor.notify("textDocument/didOpen", json!({"textDocument": document})).unwrap();
        let known = self.known(&fresh);
        let document = json!({"textDocument": {"uri": fresh}});
        self.editor.notify("textDocument/didClose", document).unwrap();
        known
    }
}

/// A long text is first understood in haste, from what was understood before, and then whole: its errors
/// are those of the text afresh at once, and everything is in the end.
#[test]
fn a_long_text_that_is_edited_is_understood_as_afresh() {
    const PIECES: [&str; 10] =
        ["", "", "x", "4", ", ", "\"tag:no\", ", "\"", "}", "{}", "/* it */ "];
    let rule = |it: usize| {
        format!("    {{\"src\": [\"tag:t{}\"], \"dst\": [\"*\"], \"ip\": [\"{it}\"]}},\n", it % 7)
    };
    let owners: String = (0..6).map(|it| format!("\"tag:t{it}\": [], ")).collect();
    let rules: String = (1..250).map(rule).collect();
    let whole = format!("{{\"tagOwners\": {{{owners}}}, \"grants\": [\n{rules}]}}\n");
    let settings = Arc::new(Settings { lints: true, ..Settings::default() });
    let of_errors = |it: &Analysis| -> Vec<Diagnostic> {
        let errors = it.diagnostics().iter().filter(|it| it.severity == Severity::Error);
        errors.cloned().collect()
    };
    let mut random = Random(88172645463325252);
    let mut known = Analysis::new(&whole, Arc::clone(&settings));
    for number in 0..60 {
        // Most texts are whole before the edit, as they are when somebody writes.
        let mut text = if number % 3 == 0 { known.text().to_owned() } else { whole.clone() };
        let start = random.below(text.len() - 2);
        let end = start + random.below(3);
        text.replace_range(start..end, PIECES[random.below(PIECES.len())]);
        let fresh = Analysis::new(&text, Arc::clone(&settings));
        let quick = Analysis::quick(&text, Arc::clone(&settings), Some(&known));
        assert_eq!(of_errors(&quick), of_errors(&fresh), "{number}");
        let complete = quick.complete();
        assert_eq!(complete.diagnostics(), fresh.diagnostics(), "{number}");
        known = if number % 2 == 0 { quick } else { complete };
    }
}

#[test]
fn after_any_edits_the_server_knows_what_it_would_know_afresh() {
    let edits: usize =
        std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(1500);
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/company");
    let original = read_text(&example.join("policy.hujson")).unwrap();
    std::fs::copy(example.join("nodes.json"), folder.path().join("nodes.json")).unwrap();
    let mut editor = Editor::start(&editor::server().unwrap(), &[], folder.path()).unwrap();
    let capabilities = json!({"textDocument": {"diagnostic": {}}});
    editor
        .request(
            "initialize",
            json!({"processId": null, "rootUri": null, "capabilities": capabilities}),
        )
        .unwrap()
        .unwrap();
    editor.notify("initialized", json!({})).unwrap();
    let uri = uri(&folder.path().join("policy.hujson"));
    let document =
        json!({"uri": uri, "languageId": "tailnet-policy", "version": 1, "text": original});
    editor.notify("textDocument/didOpen", json!({"textDocument": document})).unwrap();
    let mut soak = Soak {
        editor,
        uri: uri.clone(),
        text: original.clone(),
        version: 1,
        random: Random(2463534242),
    };
    let mut early = None;
    for number in 1..=edits {
        soak.change(&original);
        if number % 10 == 0 {
            let place = soak.place();
            let params = json!({"textDocument": {"uri": uri}, "position": soak.position(place)});
            for method in ["textDocument/completion", "textDocument/hover"] {
                soak.editor.request(method, params.clone()).unwrap().unwrap();
            }
        }
        if number % 100 == 0 || number == edits {
            let (known, fresh) = (soak.known(&uri), soak.afresh(folder.path()));
            assert_eq!(known, fresh, "after {number} edits, of\n{}", soak.text);
        }
        // From time to time a policy is whole again.
        if number % 500 == 250 {
            soak.text = original.clone();
            soak.version += 1;
            let whole = json!({"textDocument": {"uri": uri, "version": soak.version}, "contentChanges": [{"text": original}]});
            soak.editor.notify("textDocument/didChange", whole).unwrap();
        }
        if number == edits / 5 {
            early = soak.editor.kilobytes();
        }
    }
    let late = soak.editor.kilobytes();
    eprintln!("{edits} edits; memory after a fifth of them {early:?} kB, at the end {late:?} kB");
    if let (Some(early), Some(late)) = (early, late) {
        assert!(late < early * 3 / 2 + 20_000, "{early} kB, then {late} kB");
    }
}

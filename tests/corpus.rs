//! Policies that people use, where a checkout has them (`ACLC_SHARED`): whatever they hold, each
//! has a tree that gives its text back, and findings instead of a crash. Prints a line a file.

use std::path::Path;

use compiler::cst::{SyntaxNode, SyntaxTree};
use compiler::diagnostic::Severity;
use compiler::tailnet::{Facts, Tailnet};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::findings::Lints;
use tests::{entries, findings, name, read, shared};

fn main() -> Result<std::process::ExitCode, String> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    match shared("corpus") {
        Ok(Some(folder)) => {
            for file in entries(&folder)?
                .into_iter()
                .filter(|it| it.extension().is_some_and(|it| it == "hujson"))
            {
                trials.push(Trial::test(name(&file).to_owned(), move || run(&file)));
            }
        }
        Ok(None) => say("corpus: not here"),
        Err(error) => trials.push(Trial::test("corpus", || Err(error.into()))),
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

#[expect(clippy::print_stdout, reason = "the counts are for the reader of the test's output")]
fn say(text: &str) {
    println!("{text}");
}

fn run(file: &Path) -> Result<(), Failed> {
    let bytes = read(file)?;
    // Also against a tailnet without devices: everything a policy names is then unknown.
    let nobody = Tailnet::new(Facts::default());
    findings::check(&bytes, Some(&nobody), Lints::All);
    let (checked, diagnostics) = findings::check(&bytes, None, Lints::All);
    if printed(&checked.tree)?.as_bytes() != bytes {
        return Err("the tree does not give the text back".into());
    }
    let outside = diagnostics
        .iter()
        .find(|it| bytes.len() < it.span.end as usize || it.span.end < it.span.start);
    if let Some(it) = outside {
        return Err(format!("{} stands outside the text: {:?}", it.code, it.span).into());
    }
    let count = |severity| diagnostics.iter().filter(|it| it.severity == severity).count();
    say(&format!(
        "{}: {} bytes, {} nodes, {} errors, {} warnings, {} notes",
        name(file),
        bytes.len(),
        checked.tree.nodes().count(),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note),
    ));
    Ok(())
}

/// The text as the tree has it: its leaves, and between them nothing but blanks, brackets and colons.
fn printed(tree: &SyntaxTree) -> Result<String, String> {
    let mut text = String::new();
    let leaves = tree.nodes().filter(|it| it.children().next().is_none());
    for leaf in leaves {
        between(tree, &mut text, leaf.span().start as usize, leaf)?;
        text.push_str(leaf.text());
    }
    between(tree, &mut text, tree.text().len(), tree.root())?;
    Ok(text)
}

/// Adds what stands before `end` and after all that was printed so far.
fn between(
    tree: &SyntaxTree,
    text: &mut String,
    end: usize,
    node: SyntaxNode<'_>,
) -> Result<(), String> {
    let gap = tree
        .text()
        .get(text.len()..end)
        .ok_or_else(|| format!("{node:?} overlaps the node before it"))?;
    if !gap.chars().all(|it| it.is_whitespace() || "{}[]:\u{feff}".contains(it)) {
        return Err(format!("no node holds {gap:?}"));
    }
    text.push_str(gap);
    Ok(())
}

//! Runs the cases of `tests/syntax`: each `input.hujson` against its `tree.txt`, which shows the
//! tree and what was found wrong. `BLESS=1` writes the expectations.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]

use std::fmt::Write as _;
use std::path::Path;

use compiler::cst::{self, SyntaxNode};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("syntax");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let trials = paths.into_iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || run(&path))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(case: &Path) -> Result<(), Failed> {
    let bytes = std::fs::read(case.join("input.hujson"))?;
    let found = show(&bytes);
    let expectation = case.join("tree.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expectation, found)?;
        return Ok(());
    }
    let expected = std::fs::read_to_string(&expectation).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    Err(format!("{} differs; found:\n{found}", expectation.display()).into())
}

/// Each node on a line, children indented; then each problem with its place and its fixes.
fn show(bytes: &[u8]) -> String {
    let parsed = cst::parse_bytes(bytes);
    let mut shown = String::new();
    show_node(parsed.tree.root(), 0, &mut shown);
    for problem in &parsed.problems {
        let report = problem.report();
        writeln!(
            shown,
            "\n{} {}..{}: {}",
            report.code, report.span.start, report.span.end, report.message
        )
        .unwrap();
        for fix in &report.fixes {
            writeln!(shown, "  fix: {}", fix.title).unwrap();
        }
        if let Some(message) = report.refusal.and_then(|it| it.message) {
            writeln!(shown, "  Tailscale: {message}").unwrap();
        }
    }
    shown
}

fn show_node(node: SyntaxNode<'_>, depth: usize, shown: &mut String) {
    let span = node.span();
    write!(
        shown,
        "{:indent$}{:?} {}..{}",
        "",
        node.kind(),
        span.start,
        span.end,
        indent = depth * 2
    )
    .unwrap();
    if node.children().next().is_none() {
        write!(shown, " {:?}", node.text()).unwrap();
    }
    shown.push('\n');
    for child in node.children() {
        show_node(child, depth + 1, shown);
    }
}

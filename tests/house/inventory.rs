//! The page about inventories ↔ the reader of our own shape: its example is read without a
//! finding, and every member that is read is named.

use compiler::tailnet;
use libtest_mimic::{Failed, Trial};
use tests::{read_text, root};

use crate::none_of;

const PAGE: &str = "docs/inventory.md";

/// The reader of our own shape; its records have a line for each member.
const READER: &str = "compiler/src/tailnet/native.rs";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(format!("the example of {PAGE} has no finding"), example),
        Trial::test(format!("{PAGE} names every member"), members),
    ]
}

fn example() -> Result<(), Failed> {
    let page = read_text(&root().join(PAGE))?;
    let example = page.split("```json5\n").nth(1).and_then(|it| it.split("```").next());
    let read = tailnet::read(example.ok_or_else(|| format!("{PAGE} has no example"))?);
    none_of(read.diagnostics.iter().map(|it| format!("{}: {}", it.code, it.message)).collect())
}

fn members() -> Result<(), Failed> {
    let page = read_text(&root().join(PAGE))?;
    let reader = read_text(&root().join(READER))?;
    let lines = reader.lines().filter(|it| it.ends_with("\";") && !it.contains("const "));
    let fields = lines.filter_map(|it| it.split_once(" = "));
    let names: Vec<&str> =
        fields.flat_map(|(_, names)| names.split('"').skip(1).step_by(2)).collect();
    if names.is_empty() {
        return Err(format!("{READER} has no lines for members").into());
    }
    let named = |it: &&str| page.contains(&format!("`{it}`")) || page.contains(&format!(".{it}`"));
    let without = names.iter().filter(|it| !named(it));
    none_of(without.map(|it| format!("the page does not name `{it}`")).collect())
}

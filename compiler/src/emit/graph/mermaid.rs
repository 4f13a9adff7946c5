//! A picture for Mermaid, as GitHub and GitLab draw it in Markdown.

use std::fmt::Write as _;

use super::{Alike, Graph};
use crate::analysis::matrix::CellKind;

/// A flowchart in the language of Mermaid.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for (side, boxes) in [("from", &graph.sources), ("to", &graph.targets)] {
        for (at, it) in (0..).zip(boxes) {
            let _ = writeln!(text, "  {side}{at}[\"{}\"]", label(it));
        }
    }
    for way in &graph.ways {
        let arrow = match way.kind {
            CellKind::All => "==>",
            CellKind::Some => "-->",
            CellKind::Conditional => "-.->",
        };
        let what = escaped(&way.what);
        for (from, to) in way.pairs() {
            let _ = writeln!(text, "  from{from} {arrow}|\"{what}\"| to{to}");
        }
    }
    text
}

fn label(alike: &Alike) -> String {
    alike.label(8).iter().map(|it| escaped(it)).collect::<Vec<_>>().join("<br/>")
}

/// Mermaid knows characters by their entities; these would end a label or begin a tag.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for it in text.chars() {
        match it {
            '"' => safe.push_str("#quot;"),
            '#' => safe.push_str("#35;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            '&' => safe.push_str("#amp;"),
            '|' => safe.push_str("#124;"),
            '`' => safe.push_str("#96;"),
            it if it.is_control() => safe.push(' '),
            it => safe.push(it),
        }
    }
    safe
}

//! A picture for Graphviz.

use std::fmt::Write as _;

use super::{Alike, Graph};
use crate::analysis::matrix::CellKind;

/// A graph in the language of Graphviz: `dot -Tsvg` draws it.
pub fn dot(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph access {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (side, boxes) in [("from", &graph.sources), ("to", &graph.targets)] {
        for (at, it) in (0..).zip(boxes) {
            let _ = writeln!(text, "  {side}{at} [label={}];", quoted(it));
        }
    }
    for way in &graph.ways {
        let style = match way.kind {
            CellKind::All => "bold",
            CellKind::Some => "solid",
            CellKind::Conditional => "dashed",
        };
        let what = escaped(&way.what);
        for (from, to) in way.pairs() {
            let _ = writeln!(text, "  from{from} -> to{to} [label=\"{what}\", style={style}];");
        }
    }
    text.push_str("}\n");
    text
}

fn quoted(alike: &Alike) -> String {
    let lines: Vec<String> = alike.label(8).iter().map(|it| escaped(it)).collect();
    format!("\"{}\"", lines.join("\\n"))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

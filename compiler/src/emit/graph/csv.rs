//! A picture as a matrix for spreadsheets: a row for each source, a column for each destination.

use super::Graph;

/// Comma-separated values by RFC 4180, with a line of headings.
pub fn csv(graph: &Graph) -> String {
    let mut text = String::from("from \\ to");
    for end in &graph.ends {
        text.push(',');
        text.push_str(&field(&end.name));
    }
    text.push_str("\r\n");
    for (row, end) in (0..).zip(&graph.ends) {
        text.push_str(&field(&end.name));
        for column in 0..graph.ends.len() {
            text.push(',');
            if let Some((_, what, _)) = graph.cells.get(&(row, column)) {
                text.push_str(&field(what));
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// A field, quoted where it must be. What a spreadsheet would take for a formula gets a quote before it.
fn field(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

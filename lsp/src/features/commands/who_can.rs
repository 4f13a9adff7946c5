//! What stands at a place → everybody who reaches it.

use std::fmt::Write as _;

use compiler::analysis::ends::Ends;
use compiler::analysis::reach::{self, Asked};
use compiler::ast::PortRange;
use compiler::ast::ports::read_ports;
use compiler::emit::reach::{Row, rows};
use compiler::span::Span;

use super::super::analysis::Analysis;
use super::super::words::count;
use super::{Answer, Unanswered, rule_at, selector_at, unknown, without_tables};

/// So many lines a table has at most: a person reads it, and an editor lays it out.
const MAX_ROWS: usize = 200;

/// Who reaches what stands at `offset`: a name, or the destinations of the rule around it. Of a rule
/// that leads everywhere only those are told who do so by it: by some rule almost everybody does.
pub fn who_can(analysis: &Analysis, offset: u32) -> Result<Answer, Unanswered> {
    let tables = analysis.tables().ok_or_else(|| without_tables(analysis))?;
    let mut rule = None;
    let wanted: Vec<(String, Option<String>)> = match selector_at(analysis, offset) {
        Some(found) => vec![found],
        None => {
            let (span, spans) = rule_at(analysis, offset).unwrap_or_default();
            rule = Some(analysis.lines().line(span.start).0 + 1);
            let at = |it: Span| selector_at(analysis, it.start);
            spans.into_iter().filter_map(at).collect()
        }
    };
    if wanted.is_empty() {
        return Err("nothing here can be reached: put the cursor on a name, an address or a rule"
            .to_owned());
    }
    let mut text = String::new();
    let mut titles = Vec::new();
    for (name, ports) in wanted {
        let ends = Ends::read(&tables, &name).map_err(unknown)?;
        let one = ports.as_deref().and_then(|it| read_ports(it).ok());
        let range =
            one.and_then(|it| if let [range] = it.as_slice() { Some(*range) } else { None });
        let range = range.filter(|it| *it != PortRange::ALL);
        let asked = Asked { ports: range, ..Asked::default() };
        let found = reach::who_can(&tables, &ends, asked);
        let by_rule = rule.filter(|_| name == "*");
        let mut title = match range {
            Some(range) => format!("{name}:{range}"),
            None => name,
        };
        let mut rows = rows(&tables, &found, "", analysis.text());
        if let Some(line) = by_rule {
            rows.retain(|it| it.rules.iter().any(|it| it.line == line));
        }
        let _ = write!(text, "# Who can reach `{}`", title.replace('`', ""));
        if let Some(line) = by_rule {
            let _ = write!(text, " by the rule in line {line}");
            let _ = write!(title, " by the rule in line {line}");
        }
        text.push_str("\n\n");
        write_rows(&mut text, &rows);
        titles.push(title);
    }
    Ok(Answer::markdown(format!("who can reach {}", titles.join(", ")), text))
}

fn write_rows(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        let _ = writeln!(text, "Nobody.\n");
        return;
    }
    let devices: std::collections::BTreeSet<_> =
        rows.iter().filter_map(|it| it.device.as_deref()).collect();
    let networks: std::collections::BTreeSet<_> =
        rows.iter().filter_map(|it| it.addresses.as_deref()).collect();
    let mut numbers = Vec::new();
    if !devices.is_empty() {
        numbers.push(count(devices.len(), "device"));
    }
    if !networks.is_empty() {
        numbers.push(count(networks.len(), "network"));
    }
    let _ = writeln!(
        text,
        "{}.\n\n| who | whose | on | rule |\n|---|---|---|---|",
        numbers.join(" and ")
    );
    for row in rows.iter().take(MAX_ROWS) {
        let who = row.device.as_deref().or(row.addresses.as_deref()).unwrap_or_default();
        let whose = match (&row.user, &row.tags) {
            (Some(user), _) => user.clone(),
            (None, Some(tags)) => tags.join(", "),
            (None, None) => String::new(),
        };
        let lines: Vec<String> = row.rules.iter().map(|it| format!("line {}", it.line)).collect();
        let cells =
            [who.to_owned(), whose, format!("{} {}", row.protocols, row.ports), lines.join(", ")];
        let cells = cells.map(|it| it.replace('|', "\\|").replace('*', "\\*"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push('\n');
    if rows.len() > MAX_ROWS {
        let _ = writeln!(
            text,
            "The first {MAX_ROWS} of {} are shown; `aclc who-can` tells all.\n",
            count(rows.len(), "line")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_ends_with_how_long_it_is() {
        let row = |at: usize| Row {
            device: Some(format!("node-{at}")),
            addresses: None,
            user: None,
            tags: None,
            kind: "network",
            name: None,
            protocols: "tcp".to_owned(),
            ports: "22".to_owned(),
            rules: Vec::new(),
        };
        let rows: Vec<Row> = (0..MAX_ROWS + 1).map(row).collect();
        let mut text = String::new();
        write_rows(&mut text, &rows);
        assert!(text.starts_with("201 devices.\n"));
        assert!(text.contains("| node-199 |") && !text.contains("| node-200 |"));
        assert!(
            text.ends_with("The first 200 of 201 lines are shown; `aclc who-can` tells all.\n\n")
        );
        text.clear();
        write_rows(&mut text, rows.get(..MAX_ROWS).unwrap());
        assert!(!text.contains("tells all"));
    }
}

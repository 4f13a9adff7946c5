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
use super::{Answer, Unanswered, destinations_at, selector_at, unknown, without_tables};

/// Who reaches what stands at `offset`: a name, or the destinations of the rule around it.
pub fn who_can(analysis: &Analysis, offset: u32) -> Result<Answer, Unanswered> {
    let tables = analysis.tables().ok_or_else(|| without_tables(analysis))?;
    let wanted: Vec<(String, Option<String>)> = match selector_at(analysis, offset) {
        Some(found) => vec![found],
        None => {
            let spans = destinations_at(analysis, offset);
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
        let title = match range {
            Some(range) => format!("{name}:{range}"),
            None => name,
        };
        let rows = rows(&tables, &found, "", analysis.text());
        write_rows(&mut text, &title, &rows);
        titles.push(title);
    }
    Ok(Answer::markdown(format!("who can reach {}", titles.join(", ")), text))
}

fn write_rows(text: &mut String, title: &str, rows: &[Row]) {
    let title = title.replace('`', "");
    let _ = writeln!(text, "# Who can reach `{title}`\n");
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
    for row in rows {
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
}

//! The text as it was saved, and as it is → the access that the edit gives and takes.

use std::fmt::Write as _;

use compiler::analysis::flow_text::list;
use compiler::emit::changes::{Change, Changes, Side};

use super::super::analysis::Analysis;
use super::{Answer, Unanswered, refused};

/// What changes from one to the other: with an inventory which devices, without for every tailnet.
pub fn diff(saved: &Analysis, now: &Analysis) -> Result<Answer, Unanswered> {
    let side = |of: &'static str, analysis| -> Result<Side<'_>, Unanswered> {
        let analysis: &Analysis = analysis;
        let policy = analysis.checked().valid().ok_or_else(|| refused(of, analysis))?;
        Ok(Side { file: "", text: analysis.text(), policy })
    };
    let (base, head) = (side("the saved file", saved)?, side("the policy", now)?);
    let tailnets = now.tailnet().map(|it| [it, it]);
    let changes = Changes::between(base, head, tailnets);
    let mut text = String::from("# What this edit changes\n\n");
    if changes.is_empty() {
        text.push_str("Access does not change.\n");
    }
    table(&mut text, "Gained", &changes.gained, "line");
    table(&mut text, "Lost", &changes.lost, "line of the saved file");
    Ok(Answer::markdown("what this edit changes".to_owned(), text))
}

fn table(text: &mut String, title: &str, changes: &[Change], rule: &str) {
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "## {title}\n\n| who | reaches | on | {rule} | for example |\n|---|---|---|---|---|"
    );
    for change in changes {
        let condition = match change.row.posture.as_slice() {
            [] => String::new(),
            all => format!(" from devices with {}", list(all, "or")),
        };
        let lines: Vec<String> = change.rules.iter().map(|it| it.line.to_string()).collect();
        let witness = change.witness.map_or_else(String::new, |it| match it.port {
            0 => format!("{} to {}", it.src, it.dst),
            port => format!("{} to {} port {port}", it.src, it.dst),
        });
        let cells = [
            list(&change.row.src, "and"),
            list(&change.row.dst, "and"),
            change.row.what() + &condition,
            lines.join(", "),
            witness,
        ];
        let _ = writeln!(text, "| {} |", cells.map(|it| it.replace('|', "\\|")).join(" | "));
    }
    text.push('\n');
}

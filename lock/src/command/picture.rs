//! A chain of updates → an SVG picture: the active chain straight down, newest first, branches that
//! lost beside it, and the keys that are trusted now with their votes.
//!
//! Each update has a row and one parent further down, so a branch keeps its column until it meets
//! the row it leaves from. Rows come ordered, children before parents; the picture decides nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use compiler::emit::xml::escaped;

/// What is drawn.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    /// Above all.
    pub(crate) title: String,
    /// Below the title.
    pub(crate) facts: Vec<String>,
    /// The trusted keys at the head.
    pub(crate) keys: Vec<KeyBar>,
    /// The updates, children before parents.
    pub(crate) rows: Vec<Row>,
}

/// A trusted key.
#[derive(Debug)]
pub(crate) struct KeyBar {
    /// Its text.
    pub(crate) key: String,
    /// What people call it.
    pub(crate) name: String,
    /// Its weight.
    pub(crate) votes: u64,
}

/// What an update counts for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// On the chain that all nodes follow.
    Active,
    /// On a branch that lost.
    Lost,
    /// Refused by the rules; a node would never have stored it.
    Refused,
}

/// An update, or the ones left out.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its hash.
    pub(crate) hash: String,
    /// The row it follows.
    pub(crate) parent: Option<String>,
    /// What it counts for.
    pub(crate) standing: Standing,
    /// `add-key`, `checkpoint` …; empty where the row stands for several that are not drawn.
    pub(crate) kind: String,
    /// What it does, in words.
    pub(crate) action: String,
    /// Who signed, and what it weighs.
    pub(crate) signers: String,
    /// Why it won or lost, where there was a choice.
    pub(crate) verdict: Option<String>,
    /// Whether it is the head.
    pub(crate) head: bool,
}

const WIDTH: usize = 1180;
const ROW: usize = 62;
const LANE: usize = 26;
const LEFT: usize = 40;
/// What fits between the columns and the right edge, in characters.
const LINE: usize = 132;

impl Picture {
    /// The picture as text.
    pub(crate) fn to_svg(&self) -> String {
        let lanes = self.lanes();
        let columns = lanes.iter().copied().max().unwrap_or_default() + 1;
        let top = self.top();
        let height = top + self.rows.len() * ROW + 40;
        let mut svg = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.title)
        );
        svg.push_str(STYLE);
        let _ = writeln!(svg, "<rect width=\"{WIDTH}\" height=\"{height}\" class=\"paper\"/>");
        self.draw_head(&mut svg);
        self.draw_edges(&mut svg, &lanes, top);
        let text_at = LEFT + columns * LANE + 8;
        for (index, row) in self.rows.iter().enumerate() {
            let lane = lanes.get(index).copied().unwrap_or_default();
            draw_row(&mut svg, row, LEFT + lane * LANE, top + index * ROW + ROW / 2, text_at);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Where the rows begin.
    fn top(&self) -> usize {
        let keys = if self.keys.is_empty() { 0 } else { 44 + self.keys.len() * 24 };
        76 + self.facts.len() * 20 + keys
    }

    fn draw_head(&self, svg: &mut String) {
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"40\" class=\"title\">{}</text>",
            escaped(&self.title)
        );
        let mut y = 66;
        for fact in &self.facts {
            let fact = escaped(&cut(fact, LINE + 12));
            let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{y}\" class=\"fact\">{fact}</text>");
            y += 20;
        }
        if self.keys.is_empty() {
            return;
        }
        y += 14;
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{y}\" class=\"heading\">Trusted keys at the head</text>"
        );
        let most = self.keys.iter().map(|it| it.votes).max().unwrap_or(1).max(1);
        for key in &self.keys {
            y += 24;
            // At most 4096 votes, so nothing overflows.
            let bar = (key.votes * 160 / most).max(3);
            let label =
                if key.votes == 1 { "1 vote".to_owned() } else { format!("{} votes", key.votes) };
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{bar}\" height=\"12\" rx=\"3\" class=\"bar\"/><text x=\"{}\" y=\"{y}\" class=\"fact\">{label}</text><text x=\"{}\" y=\"{y}\" class=\"hash\">{}</text><text x=\"{}\" y=\"{y}\" class=\"fact\">{}</text>",
                y - 11,
                LEFT + 172,
                LEFT + 240,
                escaped(&key.key),
                LEFT + 240 + 530,
                escaped(&cut(&key.name, 44)),
            );
        }
    }

    /// The column of each row: the active chain in the first, a branch in the first that is free
    /// from its newest update down to the one it leaves from.
    fn lanes(&self) -> Vec<usize> {
        let mut lanes = Vec::with_capacity(self.rows.len());
        // Which row each column leads to; the first belongs to the active chain.
        let mut leads: Vec<Option<&str>> = vec![None];
        for row in &self.rows {
            let expected = |it: &Option<&str>| *it == Some(row.hash.as_str());
            let lane = if row.standing == Standing::Active {
                0
            } else if let Some(lane) = leads.iter().skip(1).position(expected) {
                lane + 1
            } else if let Some(lane) = leads.iter().skip(1).position(Option::is_none) {
                lane + 1
            } else {
                leads.push(None);
                leads.len() - 1
            };
            for other in &mut leads {
                if expected(other) {
                    *other = None;
                }
            }
            if let Some(lead) = leads.get_mut(lane) {
                *lead = row.parent.as_deref();
            }
            lanes.push(lane);
        }
        lanes
    }

    fn draw_edges(&self, svg: &mut String, lanes: &[usize], top: usize) {
        let places: BTreeMap<&str, usize> =
            self.rows.iter().enumerate().map(|(index, it)| (it.hash.as_str(), index)).collect();
        let x = |index: usize| LEFT + lanes.get(index).copied().unwrap_or_default() * LANE;
        let y = |index: usize| top + index * ROW + ROW / 2;
        for (index, row) in self.rows.iter().enumerate() {
            let class = row.standing.class();
            let Some(parent) = &row.parent else { continue };
            let Some(&to) = places.get(parent.as_str()) else {
                // What it follows is not here: a stub that fades out.
                let _ = writeln!(
                    svg,
                    "<path d=\"M{} {} v{}\" class=\"edge {class} gone\"/>",
                    x(index),
                    y(index),
                    ROW / 2
                );
                continue;
            };
            let (from_x, from_y, to_x, to_y) = (x(index), y(index), x(to), y(to));
            let path = if from_x == to_x {
                format!("M{from_x} {from_y} V{to_y}")
            } else {
                let bend = to_y - ROW / 2;
                format!("M{from_x} {from_y} V{bend} C{from_x} {to_y} {to_x} {bend} {to_x} {to_y}")
            };
            let _ = writeln!(svg, "<path d=\"{path}\" class=\"edge {class}\"/>");
        }
    }
}

impl Standing {
    const fn class(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

fn draw_row(svg: &mut String, row: &Row, x: usize, y: usize, text_at: usize) {
    let class = row.standing.class();
    if row.kind.is_empty() {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{}\" r=\"3\" class=\"node {class}\"/><circle cx=\"{x}\" cy=\"{y}\" r=\"3\" class=\"node {class}\"/><circle cx=\"{x}\" cy=\"{}\" r=\"3\" class=\"node {class}\"/><text x=\"{text_at}\" y=\"{}\" class=\"fact\">{}</text>",
            y - 9,
            y + 9,
            y + 4,
            escaped(&row.action)
        );
        return;
    }
    let radius = if row.head { 9 } else { 7 };
    let _ = writeln!(
        svg,
        "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" class=\"node {class}\"><title>{}</title></circle>",
        escaped(&row.hash)
    );
    let width = row.kind.chars().count() * 8 + 16;
    let mut mark_at = text_at + width + 8 + 52 * 8 + 12;
    let _ = writeln!(
        svg,
        "<rect x=\"{text_at}\" y=\"{}\" width=\"{width}\" height=\"18\" rx=\"9\" class=\"pill {class}\"/><text x=\"{}\" y=\"{}\" class=\"kind\">{}</text><text x=\"{}\" y=\"{}\" class=\"hash\">{}</text>",
        y - 26,
        text_at + 8,
        y - 13,
        escaped(&row.kind),
        text_at + width + 8,
        y - 13,
        escaped(&row.hash)
    );
    let mut mark = |text: &str, class: &str| {
        let _ = writeln!(
            svg,
            "<text x=\"{mark_at}\" y=\"{}\" class=\"{class}\">{}</text>",
            y - 13,
            escaped(text)
        );
        mark_at += text.chars().count() * 8 + 12;
    };
    if row.head {
        mark("head", "mark head");
    }
    if let Some(verdict) = &row.verdict {
        mark(verdict, &format!("mark {class}"));
    }
    let _ = writeln!(
        svg,
        "<text x=\"{text_at}\" y=\"{}\" class=\"action\">{}</text><text x=\"{text_at}\" y=\"{}\" class=\"signers\">{}</text>",
        y + 4,
        escaped(&cut(&row.action, LINE)),
        y + 19,
        escaped(&cut(&row.signers, LINE + 18))
    );
}

/// The text, cut where it would leave the picture.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
    }
}

const STYLE: &str = "\
<style>
text{font-family:system-ui,'DejaVu Sans',sans-serif;fill:#1c2128}
.paper{fill:#fff}
.title{font-size:22px;font-weight:600}
.heading{font-size:14px;font-weight:600}
.fact{font-size:13px;fill:#444c56}
.hash{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:12px;fill:#444c56}
.kind{font-size:12px;font-weight:600;fill:#fff}
.action{font-size:13px}
.signers{font-size:11.5px;fill:#57606a}
.mark{font-size:12px;font-weight:600}
.mark.head,.mark.active{fill:#1a7f37}
.mark.lost{fill:#9a6700}
.mark.refused{fill:#cf222e}
.bar{fill:#2f81f7}
.edge{fill:none;stroke-width:2.5}
.edge.active{stroke:#2f81f7}
.edge.lost{stroke:#bf8700;stroke-dasharray:5 4}
.edge.refused{stroke:#cf222e;stroke-dasharray:2 4}
.edge.gone{opacity:.35}
.node{stroke:#fff;stroke-width:2}
.node.active,.pill.active{fill:#2f81f7}
.node.lost,.pill.lost{fill:#bf8700}
.node.refused,.pill.refused{fill:#cf222e}
</style>
";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hash: &str, parent: Option<&str>, standing: Standing) -> Row {
        Row {
            hash: hash.to_owned(),
            parent: parent.map(str::to_owned),
            standing,
            kind: "no-op".to_owned(),
            action: String::new(),
            signers: String::new(),
            verdict: None,
            head: false,
        }
    }

    #[test]
    fn branches_keep_their_column_until_they_meet_their_parent() {
        use Standing::{Active, Lost};
        let rows = vec![
            row("h", Some("c"), Active),
            row("y", Some("x"), Lost),
            row("z", Some("g"), Lost),
            row("x", Some("c"), Lost),
            row("c", Some("g"), Active),
            row("w", Some("g"), Lost),
            row("g", None, Active),
        ];
        let picture = Picture { rows, ..Picture::default() };
        assert_eq!(picture.lanes(), [0, 1, 2, 1, 0, 1, 0]);
    }

    #[test]
    fn text_of_a_chain_cannot_leave_its_place() {
        let mut evil = row("h", None, Standing::Active);
        evil.action = "<script>\"&".to_owned();
        let svg = Picture { rows: vec![evil], ..Picture::default() }.to_svg();
        assert!(svg.contains("&lt;script&gt;&quot;&amp;") && !svg.contains("<script>"));
    }
}

//! A picture as one page that needs nothing else: the drawing, and all of it as a table.

use std::fmt::Write as _;

use super::svg::svg;
use super::{Graph, Name};
use crate::analysis::matrix::{CellKind, EndKind};
use crate::emit::xml::escaped;

/// More columns than this make a table that nobody reads; the rows then stand as a list.
const MAX_COLUMNS: usize = 60;

/// The page. It has no script and loads nothing.
pub fn html(graph: &Graph, title: &str) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n<p>{1}. Thick: every port; dashed: only devices that meet a posture. Point at a line to see where it leads and by which rule.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"picture\">{2}</div>\n",
        escaped(title),
        escaped(&capital(&graph.summary())),
        svg(graph),
    );
    page.push_str("<h2>The same as a table</h2>\n");
    if graph.ends.len() <= MAX_COLUMNS {
        table(&mut page, graph);
    } else {
        list(&mut page, graph);
    }
    page.push_str("</html>\n");
    page
}

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;margin:24px;max-width:none}\
.wide{overflow:auto;border:1px solid #8c959f;border-radius:6px}table{border-collapse:collapse}\
th,td{border:1px solid #8c959f;padding:4px 8px;text-align:left;vertical-align:top;max-width:18em}\
thead th{position:sticky;top:0;background:Canvas}tbody th{position:sticky;left:0;background:Canvas}\
td.all{font-weight:600}td.all::before{content:'● '}td.some::before{content:'◐ '}\
td.conditional::before{content:'? '}td.none{color:#6e7781}";

fn table(page: &mut String, graph: &Graph) {
    page.push_str("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"table\"><table><thead><tr><th scope=\"col\">from \\ to</th>");
    for end in &graph.ends {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(&end.name));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (row, end) in (0..).zip(&graph.ends) {
        let _ = write!(page, "<tr><th scope=\"row\">{}</th>", escaped(&named(end)));
        for column in 0..graph.ends.len() {
            let Some((kind, what, lines)) = graph.cells.get(&(row, column)) else {
                page.push_str("<td class=\"none\">–</td>");
                continue;
            };
            let _ = write!(
                page,
                "<td class=\"{}\" title=\"{}\">{}</td>",
                kind.name(),
                escaped(&by(lines)),
                escaped(what)
            );
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn list(page: &mut String, graph: &Graph) {
    page.push_str("<table><thead><tr><th scope=\"col\">who</th><th scope=\"col\">whom</th><th scope=\"col\">what</th><th scope=\"col\">rules</th></tr></thead>\n<tbody>\n");
    let name = |at: &usize| graph.ends.get(*at).map(|it| escaped(&it.name)).unwrap_or_default();
    for ((from, to), (kind, what, lines)) in &graph.cells {
        let kind: &CellKind = kind;
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td></tr>",
            name(from),
            name(to),
            kind.name(),
            escaped(what),
            escaped(&by(lines)),
        );
    }
    page.push_str("</tbody></table>\n");
}

fn named(end: &Name) -> String {
    match (end.kind, end.size) {
        (EndKind::Device | EndKind::Subnet | EndKind::Internet, _) => end.name.clone(),
        (_, size) => format!("{} ({size})", end.name),
    }
}

fn by(lines: &[u32]) -> String {
    let all: Vec<String> = lines.iter().map(ToString::to_string).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => format!("line {one}"),
        all => format!("lines {}", all.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}

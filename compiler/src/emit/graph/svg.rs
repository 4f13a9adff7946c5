//! A picture as SVG: three columns and curves between them.

use std::fmt::Write as _;

use super::{Alike, Graph, Way};
use crate::analysis::matrix::EndKind;
use crate::emit::xml::escaped;

/// The height of a line of text.
const LINE: usize = 18;
/// Space within a box, above and below.
const PAD: usize = 8;
/// Space between two boxes.
const GAP: usize = 14;
/// At most so many names stand in a box.
const MAX_NAMES: usize = 6;
/// At most so many characters stand in a line.
const MAX_CHARS: usize = 52;
/// The width of a character of the system's face at 13 pixels, at most.
const CHAR: usize = 8;
/// What is empty around the picture.
const MARGIN: usize = 16;
/// The length of the curves between two columns.
const REACH: usize = 110;
/// What the headings take.
const HEAD: usize = 30;

/// Where a box stands.
struct Placed {
    x: usize,
    y: usize,
    width: usize,
    lines: Vec<String>,
}

impl Placed {
    fn height(&self) -> usize {
        self.lines.len() * LINE + 2 * PAD
    }

    fn middle(&self) -> usize {
        self.y + self.height() / 2
    }
}

/// The picture as one SVG document, for light and dark surroundings.
pub fn svg(graph: &Graph) -> String {
    let sources: Vec<Vec<String>> = graph.sources.iter().map(lines).collect();
    let ways: Vec<Vec<String>> = graph.ways.iter().map(|it| vec![shortened(&it.what)]).collect();
    let targets: Vec<Vec<String>> = graph.targets.iter().map(lines).collect();
    let columns = [sources, ways, targets];
    let heights = columns.each_ref().map(|it| height(it));
    let tallest = heights.iter().copied().max().unwrap_or_default();
    let mut x = MARGIN;
    let mut placed: Vec<Vec<Placed>> = Vec::new();
    for (column, own) in columns.into_iter().zip(heights) {
        let longest = column.iter().flatten().map(|it| it.chars().count()).max();
        let width = longest.unwrap_or_default().max(8) * CHAR + 2 * PAD;
        // What a shorter column has less is spread between its boxes.
        let spare = (tallest - own) / (column.len() + 1);
        let mut y = HEAD + spare;
        let mut boxes = Vec::new();
        for lines in column {
            let it = Placed { x, y, width, lines };
            y += it.height() + GAP + spare;
            boxes.push(it);
        }
        placed.push(boxes);
        x += width + REACH;
    }
    let (width, height) = (x - REACH + MARGIN, HEAD + tallest + MARGIN);
    let mut text = String::new();
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        escaped(&graph.summary()),
    );
    let [sources, pills, targets] = placed.as_slice() else { return text };
    for (column, heading) in placed.iter().zip(["who", "may use", "whom"]) {
        let Some(first) = column.first() else { continue };
        let _ =
            writeln!(text, "<text class=\"heading\" x=\"{}\" y=\"20\">{heading}</text>", first.x);
    }
    if graph.ways.is_empty() {
        let _ = writeln!(text, "<text x=\"{MARGIN}\" y=\"20\">nobody reaches anything</text>");
    }
    for (number, (way, pill)) in (0..).zip(graph.ways.iter().zip(pills)) {
        let _ = writeln!(text, "<g class=\"way {}\" data-way=\"{number}\">", way.kind.name());
        let _ = writeln!(text, "<title>{}</title>", escaped(&sentence(graph, way)));
        for source in way.from.iter().filter_map(|it| sources.get(*it)) {
            curve(&mut text, source, pill, "");
        }
        for target in way.to.iter().filter_map(|it| targets.get(*it)) {
            curve(&mut text, pill, target, " marker-end=\"url(#tip)\"");
        }
        draw(&mut text, pill, "pill", &[]);
        text.push_str("</g>\n");
    }
    for (boxes, all) in [(sources, &graph.sources), (targets, &graph.targets)] {
        for (it, alike) in boxes.iter().zip(all) {
            let kinds: Vec<EndKind> = alike.0.iter().map(|it| it.kind).collect();
            draw(&mut text, it, "end", &kinds);
        }
    }
    text.push_str("<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n</svg>\n");
    text
}

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.heading{fill:#656d76;font-weight:600}\
.paper{fill:#fff}.end rect{fill:#f6f8fa;stroke:#8c959f}.pill rect{fill:#fff;stroke:#656d76}\
.way path{fill:none;stroke:#8c959f;stroke-width:1.4}.all path{stroke:#0969da;stroke-width:3}\
.all .pill rect{stroke:#0969da;stroke-width:2}.conditional path{stroke-dasharray:5 4}\
.conditional .pill rect{stroke-dasharray:5 4}.way:hover path{stroke:#bc4c00;stroke-width:3}\
.way:hover .pill rect{stroke:#bc4c00}.tip{fill:#656d76;stroke:none!important}.kind{fill:#656d76}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.heading,.kind{fill:#9198a1}.paper{fill:#0d1117}\
.end rect{fill:#161b22;stroke:#6e7681}.pill rect{fill:#0d1117;stroke:#9198a1}\
.way path{stroke:#6e7681}.all path,.all .pill rect{stroke:#58a6ff}.tip{fill:#9198a1}\
.way:hover path,.way:hover .pill rect{stroke:#f0883e}}";

fn lines(alike: &Alike) -> Vec<String> {
    alike.label(MAX_NAMES).iter().map(|it| shortened(it)).collect()
}

fn height(column: &[Vec<String>]) -> usize {
    column.iter().map(|it| it.len() * LINE + 2 * PAD + GAP).sum()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What a way says, whole.
fn sentence(graph: &Graph, way: &Way) -> String {
    let names = |it: &Alike| it.0.iter().map(|it| it.name.clone()).collect::<Vec<_>>().join(", ");
    let all = |boxes: &[Alike], ids: &[usize]| {
        ids.iter().filter_map(|it| boxes.get(*it)).map(names).collect::<Vec<_>>().join(", ")
    };
    let (from, to) = (all(&graph.sources, &way.from), all(&graph.targets, &way.to));
    let lines: Vec<String> = way.lines.iter().map(ToString::to_string).collect();
    let by = match lines.as_slice() {
        [] => String::new(),
        [one] => format!(" (line {one})"),
        all => format!(" (lines {})", all.join(", ")),
    };
    format!("{from} → {to}: {}{by}", way.what)
}

fn curve(text: &mut String, from: &Placed, to: &Placed, more: &str) {
    let (x1, y1, x2, y2) = (from.x + from.width, from.middle(), to.x, to.middle());
    let half = (x1 + x2) / 2;
    let _ = writeln!(text, "<path d=\"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}\"{more}/>");
}

fn draw(text: &mut String, it: &Placed, class: &str, kinds: &[EndKind]) {
    let Placed { x, y, width, lines } = it;
    let round = if class == "pill" { LINE / 2 + PAD } else { 4 };
    let height = it.height();
    let _ = writeln!(
        text,
        "<g class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = y + PAD + at * LINE + LINE - 5;
        let class = if kinds.get(at).is_some() { "" } else { " class=\"kind\"" };
        let class = if kinds.is_empty() { "" } else { class };
        let _ = writeln!(text, "<text{class} x=\"{}\" y=\"{y}\">{}</text>", x + PAD, escaped(line));
    }
    text.push_str("</g>\n");
}

//! A device → its tables, as JSON that a person can read.

use compiler::analysis::ends::Ends;
use compiler::tables::wire::{Fields, quoted, write_table};
use compiler::tailnet::NodeId;

use super::super::analysis::Analysis;
use super::{Answer, Unanswered, selector_at, unknown, without_tables};

/// So many devices at once and no more: an editor shows the text.
const MAX_DEVICES: usize = 50;

/// The tables of the device that is named, else of those that stand at `offset`, else of all.
pub fn tables(
    analysis: &Analysis,
    node: Option<&str>,
    offset: Option<u32>,
) -> Result<Answer, Unanswered> {
    let tables = analysis.tables().ok_or_else(|| without_tables(analysis))?;
    let tailnet = tables.tailnet();
    let at_cursor = || offset.and_then(|it| selector_at(analysis, it)).map(|it| it.0);
    let written = node.map(str::to_owned).or_else(at_cursor);
    let nodes: Vec<NodeId> = match &written {
        Some(written) => {
            let ends = Ends::read(&tables, written).map_err(unknown)?;
            ends.nodes
        }
        None => tailnet.node_ids().collect(),
    };
    let about = written.unwrap_or_else(|| "all devices".to_owned());
    if nodes.is_empty() {
        return Err(format!("no device of the inventory is `{about}`"));
    }
    if nodes.len() > MAX_DEVICES {
        let number = nodes.len();
        return Err(format!("`{about}` are {number} devices: name one of them"));
    }
    let fields = Fields::parse("filterRules,sshRules,capMap")?;
    let mut json = Vec::from(*b"{\"version\":1,\"nodes\":{");
    for (at, id) in nodes.iter().enumerate() {
        let name = tailnet.node(*id).map_or("", |it| &it.name);
        if at > 0 {
            json.push(b',');
        }
        json.extend_from_slice(quoted(name).as_bytes());
        json.extend_from_slice(b":{");
        write_table(&tables, *id, fields, &mut json);
        json.push(b'}');
    }
    json.extend_from_slice(b"}}");
    let text = laid_out(&String::from_utf8_lossy(&json));
    Ok(Answer { title: format!("tables of {about}"), language: "json", text })
}

/// JSON without blanks → the same with a line for each member; what is short stays in one line.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    // How many brackets that are open stand in one line.
    let mut flat = 0usize;
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for (at, char) in json.char_indices() {
        if in_string {
            out.push(char);
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
            continue;
        }
        match char {
            '"' => {
                in_string = true;
                out.push(char);
            }
            '{' | '[' => {
                out.push(char);
                if flat > 0 || is_short(json.get(at..).unwrap_or_default()) {
                    flat += 1;
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if flat > 0 {
                    flat -= 1;
                } else {
                    depth = depth.saturating_sub(1);
                    new_line(&mut out, depth);
                }
                out.push(char);
            }
            ',' if flat > 0 => out.push_str(", "),
            ',' => {
                out.push(char);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            char => out.push(char),
        }
    }
    out.push('\n');
    out
}

/// Whether an object or list, which begins here, fits a line.
fn is_short(json: &str) -> bool {
    const WIDTH: usize = 80;
    let mut depth = 0usize;
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes().take(WIDTH) {
        match byte {
            _ if in_string => {
                in_string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
            }
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stays_in_a_line() {
        let long = "x".repeat(80);
        assert_eq!(
            laid_out(&format!("{{\"a\":[1,2],\"b:\\\"\":[\"{long}\",{{}}]}}")),
            format!("{{\n  \"a\": [1, 2],\n  \"b:\\\"\": [\n    \"{long}\",\n    {{}}\n  ]\n}}\n")
        );
    }
}

//! Conditions of postures: attributes, then operators, then values.

use compiler::ast::posture::attributes::{ATTRIBUTES, Values, values};

use super::{ItemKind, List};

/// The attributes that Tailscale and others set, and those that the policy names besides.
pub(super) fn attributes(list: &mut List<'_, '_>) {
    for (name, values) in ATTRIBUTES {
        list.offer(name, ItemKind::Word).detail(about(values));
    }
    for name in own(list) {
        list.offer(name, ItemKind::Name).detail("of this policy");
    }
}

/// What comes next in a condition.
pub(super) fn conditions(list: &mut List<'_, '_>) {
    let before = list.hole.before;
    let begun = before.len() - before.trim_start().len();
    let Some(space) = before.get(begun..).and_then(|it| it.find(' ')).map(|it| it + begun) else {
        return attributes(list);
    };
    let attribute = before.get(begun..space).unwrap_or_default().to_owned();
    let rest = before.get(space..).unwrap_or_default();
    let operand = rest.rfind(['=', '<', '>', '[', ',']).map(|it| space + it + 1);
    match operand {
        Some(at) => {
            let gap = before.get(at..).unwrap_or_default();
            let start = at + gap.len() - gap.trim_start().len();
            operands(list, &attribute, start);
        }
        None => {
            let gap = rest.len() - rest.trim_start().len();
            operators(list, &attribute, space + gap);
        }
    }
}

fn operators(list: &mut List<'_, '_>, attribute: &str, start: usize) {
    let ordered = matches!(values(attribute), None | Some(Values::Number | Values::Version));
    let all: &[(&str, bool)] = &[
        ("==", false),
        ("!=", false),
        (">=", true),
        (">", true),
        ("<=", true),
        ("<", true),
        ("IN []", false),
        ("NOT IN []", false),
        ("IS SET", false),
        ("NOT SET", false),
    ];
    let (from, end) = (list.hole.start + start as u32, list.hole.end);
    let opens = usize::from(list.hole.opens);
    for (word, _) in all.iter().filter(|it| ordered || !it.1) {
        let item = list.offer_part(*word, ItemKind::Word, from, end, true);
        if word.ends_with(']') {
            item.caret = Some(opens + word.len() - 1);
            item.goes_on = true;
        } else if !word.ends_with('T') {
            item.text.insert(opens + word.len(), ' ');
            item.caret = Some(opens + word.len() + 1);
            item.goes_on = true;
        }
    }
}

fn operands(list: &mut List<'_, '_>, attribute: &str, start: usize) {
    let words: Vec<String> = match values(attribute) {
        Some(Values::OneOf(words)) => words.iter().map(|it| format!("'{it}'")).collect(),
        Some(Values::Flag) => vec!["true".to_owned(), "false".to_owned()],
        Some(Values::Text) if attribute == "ip:publicAddress" => {
            list.analysis.policy().ipsets.iter().map(|it| format!("'{}'", it.name.value)).collect()
        }
        _ => Vec::new(),
    };
    let from = list.hole.start + start as u32;
    let inside_list = list.hole.before.get(..start).is_some_and(|it| it.contains('['));
    let end =
        if inside_list { list.hole.start + list.hole.before.len() as u32 } else { list.hole.end };
    // The quote that is typed already is replaced with the word.
    for word in words {
        list.offer_part(word, ItemKind::Value, from, end, !inside_list);
    }
}

/// What the conditions of the policy and the devices of the inventory name beyond the table.
fn own(list: &List<'_, '_>) -> Vec<String> {
    let file = &list.analysis.policy().file;
    let asked = file.postures.iter().flat_map(|it| &it.value).map(|it| &*it.value.attribute);
    let nodes = list.analysis.tailnet().map_or(&[][..], |it| it.nodes());
    let details = nodes.iter().filter_map(|it| it.details.as_ref());
    let known = details.flat_map(|it| &it.attributes).map(|it| &*it.0);
    let mut own: Vec<&str> = asked.chain(known).collect();
    own.sort_unstable();
    own.dedup();
    let listed = |it: &str| ATTRIBUTES.iter().any(|(name, _)| *name == it);
    own.into_iter().filter(|it| !listed(it)).map(str::to_owned).collect()
}

/// What an attribute may be, in words.
pub(in crate::features) fn about(values: Values) -> String {
    match values {
        Values::Flag => "true or false".to_owned(),
        Values::Number => "a number".to_owned(),
        Values::Version => "a version".to_owned(),
        Values::Text => "a text".to_owned(),
        Values::OneOf(words) => words.join(", "),
        Values::Country => "a country, as `DE`".to_owned(),
    }
}

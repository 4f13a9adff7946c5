//! Numbers and names in sentences.

/// At most so many names stand in one sentence.
const FEW: usize = 4;

/// "`a`, `b` and 3 more".
pub(super) fn names<T: AsRef<str>>(names: &[T]) -> String {
    list(names.iter().map(|it| format!("`{}`", it.as_ref())))
}

/// The same for pieces that are no names.
pub(super) fn list(pieces: impl ExactSizeIterator<Item = String>) -> String {
    let more = pieces.len().saturating_sub(FEW);
    let shown: Vec<String> = pieces.take(FEW).collect();
    match (shown.split_last(), more) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, before)), 0) => format!("{} and {last}", before.join(", ")),
        (Some(_), more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// "1 rule", "3 rules", "2 lists of ports", "2 capabilities".
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        return format!("1 {one}");
    }
    match (one.split_once(" of "), one.strip_suffix('y')) {
        (Some((one, of)), _) => format!("{number} {one}s of {of}"),
        (None, Some(stem)) => format!("{number} {stem}ies"),
        (None, None) => format!("{number} {one}s"),
    }
}

//! A list between brackets, or the members of an object → its items, each with the comments that
//! stand by it, and back to text.
//!
//! An item that nobody changes gives back the bytes it was made from. A comment belongs to the item
//! behind which it stands on the line, else to the next one.

use crate::cst::{SyntaxKind, SyntaxNode};
use crate::span::Span;

/// What stands between two brackets.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// The opening bracket.
    pub(super) open: String,
    /// What stands in it, in order.
    pub(super) items: Vec<Item>,
    /// What follows the last item, and the closing bracket.
    pub(super) close: String,
    /// Whether a comma follows the last item.
    pub(super) trailing: bool,
}

/// A value or member, and what stands around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    /// Blanks and comments before it.
    pub(super) lead: String,
    /// Itself; `None` where only its comments are left.
    pub(super) body: Option<String>,
    /// What stands between it and its comma.
    pub(super) gap: String,
    /// Comments behind it on its line.
    pub(super) tail: String,
}

impl Item {
    /// An item that was not there before.
    pub(super) fn new(lead: &str, body: String) -> Self {
        Self { lead: lead.to_owned(), body: Some(body), ..Self::default() }
    }

    /// Comments alone.
    pub(super) fn comments(text: &str) -> Self {
        Self { lead: text.to_owned(), ..Self::default() }
    }

    /// Whether comments stand by it.
    pub(super) fn has_comments(&self) -> bool {
        [&self.lead, &self.gap, &self.tail].into_iter().any(|it| !it.trim().is_empty())
    }
}

impl List {
    /// Takes an array or object apart.
    pub(super) fn of(text: &str, node: SyntaxNode<'_>) -> Self {
        let span = node.span();
        let mut done = span.opening().end;
        let mut items: Vec<Item> = Vec::new();
        // Whether the last item is closed by a comma, and its comments on the line may still come.
        let (mut comma, mut trails) = (false, false);
        let mut pending: Vec<Span> = Vec::new();
        for child in node.children() {
            let at = child.span();
            match child.kind() {
                SyntaxKind::Comment if !items.is_empty() && !comma => pending.push(at),
                SyntaxKind::Comment if trails => {
                    trails = add_tail(text, &mut items, &mut done, at);
                }
                SyntaxKind::Comment => {}
                SyntaxKind::Comma => {
                    if let Some(item) = items.last_mut() {
                        Span::new(done, at.start).of(text).clone_into(&mut item.gap);
                    }
                    pending.clear();
                    (done, comma, trails) = (at.end, true, true);
                }
                _ => {
                    let lead = Span::new(done, at.start).of(text);
                    let body = Some(child.text().to_owned());
                    items.push(Item { lead: lead.to_owned(), body, ..Item::default() });
                    (done, comma, trails) = (at.end, false, false);
                }
            }
        }
        for at in pending {
            if !add_tail(text, &mut items, &mut done, at) {
                break;
            }
        }
        let close = Span::new(done, span.end).of(text).to_owned();
        Self { open: span.opening().of(text).to_owned(), items, close, trailing: comma }
    }

    /// The text.
    pub(super) fn render(&self) -> String {
        let mut out = Written { text: self.open.clone(), in_comment: false };
        let last = self.items.iter().rposition(|it| it.body.is_some());
        let mut first = true;
        for (at, item) in self.items.iter().enumerate() {
            let Some(body) = &item.body else {
                if item.lead.trim().is_empty() && item.lead.contains('\n') && item.has_comments() {
                    out.piece(&item.lead);
                    out.piece(format!("{}{}", item.gap, item.tail).trim_start());
                } else if item.has_comments() {
                    out.piece(item.lead.trim_end());
                    out.piece(&item.gap);
                    out.piece(&item.tail);
                }
                continue;
            };
            // What comes first after others are gone stands where the first stood.
            let stood = self.items.first().map_or("", |it| &it.lead);
            let moved = std::mem::take(&mut first) && at > 0 && item.lead.trim().is_empty();
            let lead = if moved && stood.trim().is_empty() { stood } else { &item.lead };
            out.piece(lead);
            out.piece(body);
            out.piece(&item.gap);
            if last != Some(at) || self.trailing {
                out.piece(",");
            }
            out.piece(&item.tail);
        }
        out.piece(&self.close);
        out.text
    }

    /// What is written before the closing bracket without the blanks there: comments of no item.
    pub(super) fn last_words(&self) -> &str {
        let bracket = self.close.len().saturating_sub(1);
        self.close.get(..bracket).unwrap_or_default().trim_end()
    }
}

/// Text that is put together; a comment that ends with its line does not swallow what follows.
struct Written {
    text: String,
    in_comment: bool,
}

impl Written {
    fn piece(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        let blanks = piece.len() - piece.trim_start().len();
        if self.in_comment && !piece.get(..blanks).unwrap_or_default().contains('\n') {
            self.text.push('\n');
        }
        self.text.push_str(piece);
        self.in_comment = ends_in_comment(piece);
    }
}

/// Whether a piece ends with a comment that goes on to the end of the line.
fn ends_in_comment(piece: &str) -> bool {
    let line = piece.rsplit('\n').next().unwrap_or_default().trim_start();
    // A block before it on the line is rare; a break too many does no harm.
    line.starts_with("//") || line.starts_with("/*") && line.contains("*/ //")
}

/// Gives a comment to the last item where it stands on its line and ends it.
fn add_tail(text: &str, items: &mut [Item], done: &mut u32, at: Span) -> bool {
    let before = Span::new(*done, at.start).of(text);
    let after = text.get(at.end as usize..).unwrap_or_default().trim_start_matches([' ', '\t']);
    let ends = after.is_empty() || after.starts_with(['\n', '\r', '/', ']', '}']);
    let Some(item) = items.last_mut().filter(|_| !before.contains('\n') && ends) else {
        return false;
    };
    item.tail.push_str(Span::new(*done, at.end).of(text));
    *done = at.end;
    true
}

/// The line end and blanks before `offset`, where nothing else stands before it on its line.
pub(super) fn own_line(text: &str, offset: u32) -> Option<&str> {
    let before = text.get(..offset as usize)?;
    let start = before.rfind('\n')?;
    let start = if before.get(..start)?.ends_with('\r') { start - 1 } else { start };
    before.get(start..).filter(|it| it.trim().is_empty())
}

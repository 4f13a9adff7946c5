//! Laws of reading text, on generated input: it never fails, it loses nothing, and it says what
//! Tailscale would say.

use compiler::cst::{self, SyntaxKind, SyntaxNode, SyntaxTree, Upstream};
use proptest::prelude::*;

/// Text from what policies are made of, in any order: nearly always broken, now and then right.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"",
        "\\",
        "1",
        "-",
        "true",
        "nul",
        " ",
        "\n",
        "\t",
        "//",
        "// x\n",
        "/*",
        "*/",
        "/* y */",
        "'",
        "'c'",
        "\\'",
        "\\\n",
        "#",
        "=",
        "“",
        "”",
        "\u{a0}",
        "\u{feff}",
        "\u{2028}",
        "ä",
        "*",
        "é",
        "\"a\": ",
        "[1, 2]",
        "{\"a\": 1}",
        "\u{0}",
        "\\u00e4",
        "\"\\n\"",
        ";",
        "+",
        "\r\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|it| it.concat())
}

/// JSON with commas and comments where HuJSON allows them.
fn valid() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec!["", " ", "\n", "\t", "// c\n", "/* c */ "]);
    let leaf = prop::sample::select(vec![
        "1",
        "-0.5e3",
        "true",
        "null",
        "\"s\"",
        "\"\\u00e4\\n\"",
        "[]",
        "{}",
    ])
    .prop_map(str::to_owned);
    let value = leaf.prop_recursive(5, 64, 6, |inner| {
        let blank = prop::sample::select(vec!["", " ", "\n", "// c\n", "/**/"]);
        let items = prop::collection::vec((blank, inner), 0..6);
        (items, any::<bool>(), any::<bool>()).prop_map(|(items, object, trailing)| {
            let items: Vec<String> = (0..)
                .zip(&items)
                .map(|(at, (blank, value))| {
                    let name = if object { format!("\"{at}\"{blank}:") } else { String::new() };
                    format!("{blank}{name}{blank}{value}{blank}")
                })
                .collect();
            let comma = if trailing && !items.is_empty() { "," } else { "" };
            let inner = items.join(",");
            if object { format!("{{{inner}{comma}}}") } else { format!("[{inner}{comma}]") }
        })
    });
    (blank.clone(), value, blank)
        .prop_map(|(before, value, after)| format!("{before}{value}{after}"))
}

fn check(text: &str) {
    let parsed = cst::parse(text);
    assert_eq!(parsed.tree.print(), text);
    nests(parsed.tree.root());
    for node in parsed.tree.nodes() {
        assert!(text.is_char_boundary(node.span().start as usize));
        assert!(text.is_char_boundary(node.span().end as usize));
        let inner = node.inner_span();
        assert!(inner.start <= inner.end && text.get(inner.range()).is_some());
        assert_eq!(node.string().is_some(), node.kind() == SyntaxKind::String);
    }
    let mut refused = 0;
    let mut said = 0;
    for problem in &parsed.problems {
        refused += usize::from(problem.is_refused());
        said += usize::from(matches!(problem.upstream, Upstream::Says(_)));
        let report = problem.report();
        let places = report.related.iter().map(|it| it.span).chain([report.span]);
        let edits = report.fixes.iter().flat_map(|it| it.edits.iter().map(|it| it.span));
        for span in places.chain(edits) {
            assert!(text.get(span.range()).is_some(), "{report:?}");
        }
        assert!(!report.message.is_empty() && !report.message.contains('\n'), "{report:?}");
        assert!(report.help.is_some(), "{report:?}");
    }
    assert_eq!(said, usize::from(refused > 0), "{:?}", parsed.problems);
    assert!(parsed.problems.is_sorted_by_key(|it| it.span.start));
}

/// Children lie within their parent, one after the other.
fn nests(node: SyntaxNode<'_>) {
    let mut end = node.span().start;
    for child in node.children() {
        assert!(
            child.span().start >= end && child.span().end <= node.span().end,
            "{child:?} in {node:?}"
        );
        end = child.span().end;
        nests(child);
    }
}

/// What is left of a text when every fix of every report has been applied, as far as they go
/// together.
fn fixed(text: &str) -> String {
    let mut text = text.to_owned();
    for problem in cst::parse(&text.clone()).problems.iter().rev() {
        if let [fix] = problem.report().fixes.as_slice() {
            text = cst::edit::apply(&text, &fix.edits).unwrap_or(text);
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_kept(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_pieces_are_read_and_kept(text in pieces()) {
        check(&text);
    }

    #[test]
    fn any_bytes_are_decoded_in_place(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let parsed = cst::parse_bytes(&bytes);
        prop_assert_eq!(parsed.tree.text().len(), bytes.len());
        prop_assert_eq!(parsed.tree.print(), parsed.tree.text());
    }

    #[test]
    fn valid_text_has_no_problem(text in valid()) {
        let ends_open = text.ends_with("// c");
        let parsed = cst::parse(&text);
        prop_assert!(ends_open || parsed.problems.is_empty(), "{:?}", parsed.problems);
        check(&text);
    }

    #[test]
    fn one_lost_character_is_survived(text in valid(), at in any::<prop::sample::Index>()) {
        let mut chars: Vec<char> = text.chars().collect();
        chars.remove(at.index(chars.len()));
        check(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn an_edited_text_is_read_as_if_afresh(
        parts in prop::collection::vec(valid(), 2..6),
        at in any::<prop::sample::Index>(),
        lost in 0..4_usize,
        new in prop_oneof![Just(String::new()), pieces(), valid()],
    ) {
        let parts: Vec<String> = parts.iter().map(|it| format!("{{\"k\": {it}\n}}")).collect();
        let text = format!("[{}]", parts.join(",\n"));
        let before = cst::parse(&text);
        prop_assert!(before.problems.is_empty(), "{:?}", before.problems);
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..(at + lost).min(chars.len()), new.chars());
        reread(&before.tree, &chars.into_iter().collect::<String>());
    }

    #[test]
    fn fixes_lead_to_a_text_that_is_read(text in pieces()) {
        check(&fixed(&text));
    }
}

/// Whether an edited text was read without reading all of it; then the tree is as if it had been.
fn reread(before: &SyntaxTree, edited: &str) -> bool {
    let Some(tree) = cst::reparse(before, edited) else { return false };
    let whole = cst::parse(edited);
    assert!(whole.problems.is_empty(), "{edited:?}: {:?}", whole.problems);
    assert_eq!(format!("{tree:?}"), format!("{:?}", whole.tree));
    true
}

#[test]
fn a_rule_that_is_edited_is_read_alone() {
    let rule = "{\"src\": [\"a\"], \"dst\": [{\"b\": 1}]}";
    // Long enough that no rule is half of it.
    let text = format!("// {1}\n{{\"rules\": [{0},\n{0}, {0}]}}\n", rule, "x".repeat(3000));
    let before = cst::parse(&text).tree;
    let with = |old: &str, new: &str| {
        let at = text.match_indices(old).nth(1).unwrap().0;
        format!("{}{new}{}", text.get(..at).unwrap(), text.get(at + old.len()..).unwrap())
    };
    assert!(reread(&before, &text));
    assert!(reread(&before, &with("\"a\"", "\"ab\", /* { */ {}")));
    assert!(reread(&before, &with("\"b\": 1", "")));
    assert!(reread(&before, &with("\"a\"", &format!("{}{}", "[".repeat(400), "]".repeat(400)))));
    // Too deep, not whole, or another number of objects.
    assert!(!reread(&before, &with("\"a\"", &format!("{}{}", "[".repeat(498), "]".repeat(498)))));
    for broken in ["\"", "/*", "//", "}", "},{", "} // {"] {
        assert!(!reread(&before, &with("\"a\"", broken)), "{broken}");
    }
    assert!(!reread(&before, &with("\"src\"", "\"src\": 1}, {\"src\"")));
}

#[test]
fn fixes_mend_what_they_promise() {
    for (written, mended) in [
        ("{\"a\": 1 \"b\": [1 2],,}", "{\"a\": 1, \"b\": [1, 2],}"),
        ("\u{feff}{a: 'x', b: 0x10}", "{\"a\": \"x\", \"b\": 16}"),
        ("{\"a\" = True, \"b\": [1}, \"c\": 2}\n", "{\"a\" : true, \"b\": [1], \"c\": 2}\n"),
        ("{\"a\": \"x\ty\"} // end", "{\"a\": \"x\\ty\"} // end\n"),
        ("[“a”,\u{a0}1] # end\n", "[\"a\", 1] // end\n"),
        ("{\"a\": [1, {\"b\": 2", "{\"a\": [1, {\"b\": 2}]}"),
    ] {
        let fixed = fixed(written);
        assert_eq!(fixed, mended);
        assert!(cst::parse(&fixed).problems.is_empty());
    }
}

#[test]
fn findings_are_bounded() {
    for piece in
        ["[,],", "a ", "\"a\":1,", "1 ", "\\ ", "\u{a0}x", "{\"\t\":}", "'a'", "\"\n", "/**/;"]
    {
        let text = format!("{{\"x\": [{}]}}", piece.repeat(5000));
        let parsed = cst::parse(&text);
        assert!(parsed.problems.len() < 500, "{piece}: {}", parsed.problems.len());
        assert_eq!(parsed.tree.print(), text);
    }
    let bytes = [b'x', 0xff].repeat(5000);
    assert!(cst::parse_bytes(&bytes).problems.len() < 500);
}

/// Each of these once cost a search up to the end for each of its quotes, which took minutes.
#[test]
fn quotes_that_never_close_are_searched_once() {
    for piece in ["\\'", "\\'\\\n", "\\' //\\\n", "\\\"", "\\\"\\\n", "\\\" //\\\n", "“ "] {
        for quote in ["'", "\""] {
            let text = format!("{{\"a\": {quote}{}", piece.repeat(200_000 / piece.len()));
            assert_eq!(cst::parse(&text).tree.print(), text);
        }
    }
}

#[test]
fn the_node_at_a_place_is_the_innermost() {
    let text = "{\"a\": [1, 22]}";
    let tree = cst::parse(text).tree;
    let at = text.find("22").unwrap() as u32 + 1;
    assert_eq!(tree.node_at(at).text(), "22");
    assert_eq!(tree.node_at(0).kind(), SyntaxKind::Object);
}

#[test]
fn nesting_is_read_up_to_the_bound() {
    for open in ["[", "{\"a\":", "{", "{\"a\" ", "[1,", "['x',{'y':"] {
        let levels = cst::MAX_DEPTH / open.matches(['[', '{']).count();
        check(&open.repeat(levels));
        let beyond = cst::parse(&open.repeat(levels + 1));
        assert_eq!(beyond.problems.len(), 1, "{open}");
        assert_eq!(beyond.problems.first().unwrap().fault, cst::Fault::TooDeep);
    }
}

/// Each of these once cost every comment a look at all others, or at the blanks before all of them.
#[test]
fn many_suppressions_are_matched_once() {
    let blanks = " ".repeat(200_000);
    let hosts = |piece: &dyn Fn(usize) -> String| {
        let members: Vec<String> = (0..20_000).map(piece).collect();
        format!("{{\"hosts\": {{{}{}}}}}", blanks, members.join(","))
    };
    let on_one_line = hosts(&|it| format!("\"h{it}\":\"10.0.0.1/8\"/*aclc:allow(W0224)*/"));
    assert!(compiler::check(&on_one_line, None).diagnostics.is_empty());
    let stacked = format!("{}{{}}", "//aclc:allow(W0224)\n".repeat(20_000));
    let found = compiler::check(&stacked, None).diagnostics;
    assert!(found.iter().all(|it| it.code.name() == "W0801") && found.len() == 20_000);
}

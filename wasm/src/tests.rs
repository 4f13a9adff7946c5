//! The assertions of a policy, and what they leave open.

use compiler::diagnostic::code;
use compiler::span::Span;
use compiler::{Options, check_bytes};
use serde::Serialize;

use crate::answer::Told;
use crate::places::Place;
use crate::workspace::{Open, World};

/// What came of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Tests {
    assertions: Vec<Assertion>,
    coverage: Option<Coverage>,
    /// Rules and destinations that no assertion makes use of.
    unused: Vec<Gap>,
}

#[derive(Debug, Serialize)]
struct Assertion {
    name: String,
    place: Place,
    holds: Option<bool>,
    message: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    rules: usize,
    rules_used: usize,
    destinations: usize,
    destinations_used: usize,
}

#[derive(Debug, Serialize)]
struct Gap {
    place: Place,
    message: String,
    help: Option<String>,
}

/// Runs the assertions.
pub(crate) fn of(world: &mut World) -> Told<Tests> {
    let Open { analysis, units, .. } = world.open();
    let options = Options {
        lints: false,
        coverage: analysis.tailnet().is_some(),
        ..analysis.settings().options()
    };
    let text = analysis.text();
    let run = check_bytes(text.as_bytes(), &options);
    let place = |span: Span| units.place(text, span);
    let tally = run.tally.unwrap_or_default();
    let unused = run.diagnostics.iter().filter(|it| it.code == code::W0511);
    Ok(Tests {
        assertions: tally
            .cases
            .into_iter()
            .map(|it| Assertion {
                place: place(it.span),
                name: it.name,
                holds: it.holds,
                message: it.message,
            })
            .collect(),
        coverage: tally.coverage.map(|it| Coverage {
            rules: it.rules,
            rules_used: it.rules_used,
            destinations: it.destinations,
            destinations_used: it.destinations_used,
        }),
        unused: unused
            .map(|it| Gap {
                place: place(it.span),
                message: it.message.clone(),
                help: it.help.clone(),
            })
            .collect(),
    })
}

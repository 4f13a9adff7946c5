//! Runs the cases of `tests/lock`: in `audit/` each `chain.txt` against the findings about it, which
//! must have the code that the folder is named after; in `chains/` against where the chain leads,
//! whom it accepts, and what losing or leaking keys would mean. `BLESS=1` writes the expectations.

use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use lock::audit::{Code, standings};
use lock::authority::Authority;
use lock::rehearse;
use lock::text::hex;
use tests::expected::expect;
use tests::scenario::{Node, Scenario, public_key};
use tests::{entries, name, read_text, root};

fn main() -> Result<std::process::ExitCode, String> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (folder, run) in [("audit", audit as fn(&Path) -> _), ("chains", chain)] {
        for case in entries(&root().join("tests/lock").join(folder))? {
            trials.push(Trial::test(format!("{folder}/{}", name(&case)), move || run(&case)));
        }
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn audit(case: &Path) -> Result<(), Failed> {
    let scenario = Scenario::parse(&read_text(&case.join("chain.txt"))?)?;
    let findings = scenario.findings()?;
    let text: String = findings.iter().map(|it| it.1.as_str()).collect();
    expect(&case.join("findings.txt"), &text)?;
    let code = name(case).split('-').next().and_then(Code::parse);
    let code = code.ok_or("the folder is named after no code")?;
    if findings.iter().any(|it| it.0 == code) {
        return Ok(());
    }
    Err(format!("there is no finding of {code}").into())
}

fn chain(case: &Path) -> Result<(), Failed> {
    let scenario = Scenario::parse(&read_text(&case.join("chain.txt"))?)?;
    let outcome = match scenario.authority() {
        Ok(authority) => outcome(&scenario, &authority)?,
        Err(error) => format!("not opened: {error}\n"),
    };
    expect(&case.join("outcome.txt"), &scenario.with_names(&outcome))?;
    Ok(())
}

/// Where the chain leads, and whom it accepts.
fn outcome(scenario: &Scenario, authority: &Authority) -> Result<String, String> {
    let mut text = format!("head {}\n", authority.head());
    for key in authority.state().keys() {
        let public = hex(key.public.as_deref().unwrap_or_default());
        writeln!(text, "trusts tlpub:{public}, votes {}", key.votes)
            .map_err(|it| it.to_string())?;
    }
    let nodes: Vec<_> = scenario.nodes.iter().map(Node::audited).collect();
    for (node, standing) in nodes.iter().zip(standings(authority, &nodes)) {
        use lock::peer::PeerVerdict::{Exempt, NoSignature, Obsolete, Refused, Signed};
        let verdict = match standing.verdict {
            Signed(_) => format!("accepted, rotations {}", standing.rotations),
            Exempt => "accepted without a signature".to_owned(),
            NoSignature => "dropped: no signature".to_owned(),
            Refused(error) => format!("dropped: {error}"),
            Obsolete => "dropped: obsolete".to_owned(),
            _ => "unknown verdict".to_owned(),
        };
        writeln!(text, "node {}: {verdict}, {:?}", node.name, standing.rotatable)
            .map_err(|it| it.to_string())?;
    }
    for (word, names) in &scenario.rehearsals {
        let keys: Vec<Vec<u8>> = names.iter().map(|it| public_key(it)).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        writeln!(text, "\n{word} {}", names.join(" ")).map_err(|it| it.to_string())?;
        let told = match word.as_str() {
            "lose" => told_loss(scenario, &rehearse::lose(authority, &keys, &nodes)),
            _ => {
                let leak = rehearse::leak(authority, &scenario.store, &keys, &nodes);
                told_leak(scenario, &leak.map_err(|it| it.to_string())?)
            }
        };
        text.push_str(&told);
    }
    Ok(text)
}

fn names(scenario: &Scenario, indices: &[usize]) -> String {
    let names: Vec<&str> = indices
        .iter()
        .filter_map(|it| scenario.nodes.get(*it))
        .map(|it| it.name.as_str())
        .collect();
    if names.is_empty() { "no node".to_owned() } else { names.join(" ") }
}

fn told_loss(scenario: &Scenario, loss: &rehearse::Loss) -> String {
    let left: Vec<String> =
        loss.left.iter().map(|it| format!("tlpub:{} ({})", hex(&it.0), it.1)).collect();
    format!(
        "  left: {}\n  final: {}\n  to be signed again before it is removed: {}\n",
        left.join(" "),
        loss.is_final(),
        names(scenario, &loss.resting)
    )
}

fn told_leak(scenario: &Scenario, leak: &rehearse::Leak) -> String {
    let mut text = format!("  votes at the head: {}\n", leak.votes);
    for risk in &leak.forks {
        text.push_str(&format!(
            "  can fork after {}: {} against {} of {}\n",
            risk.parent, risk.attacker, risk.defender, risk.child
        ));
    }
    let recovery = &leak.recovery;
    let signers: Vec<String> =
        recovery.signers.iter().map(|it| format!("tlpub:{}", hex(it))).collect();
    text.push_str(&format!(
        "  recovery after {}: needs {}, {} reached by {}\n  locked out by it: {}\n",
        recovery.fork_from,
        recovery.needed,
        recovery.reached,
        signers.join(" "),
        names(scenario, &leak.locked_out)
    ));
    text
}

//! The forms of findings that CI servers read, made of every policy of `diagnostics/`: SARIF by its
//! published schema, JUnit by that of Jenkins, GitLab's and GitHub's by what they document.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a comparison that is left out says so")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What `aclc check` prints of all cases in one of its forms.
fn report(form: &str) -> String {
    let folder = tests::root().join("tests/diagnostics");
    let policies = tests::entries(&folder).unwrap().into_iter().map(|it| it.join("policy.hujson"));
    let names: Vec<PathBuf> = policies
        .filter(|it| it.is_file())
        .map(|it| it.strip_prefix(&folder).unwrap().to_owned())
        .collect();
    let mut command = Command::new(tests::aclc::build().unwrap());
    command.current_dir(folder).env_remove("GITHUB_STEP_SUMMARY");
    command.args(["check", "--no-config", "--format", form]).args(names);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn sarif_is_valid() {
    let manifest = tests::root().join("tests/interop/reports/Cargo.toml");
    let metadata = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    if !metadata.status.success() {
        eprintln!("LEFT OUT: the package with the schema of SARIF cannot be fetched");
        return;
    }
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|it| it["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let schema = tests::read_text(&manifest.with_file_name("src").join("schema.json")).unwrap();
    // The published one has a bracket too many in a pattern, at which a strict validator stops.
    let schema: Value = serde_json::from_str(&schema.replace("]?$\"", "?$\"")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let log: Value = serde_json::from_str(&report("sarif")).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&log)
        .take(5)
        .map(|it| format!("{}: {it}", it.instance_path()).chars().take(400).collect())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A wrong log shows that the schema is looked at.
    let mut broken = log.clone();
    *broken.pointer_mut("/runs/0/results/0/level").unwrap() = "grave".into();
    assert!(!validator.is_valid(&broken));
}

/// SOURCE: docs.gitlab.com, "Code quality report format".
#[test]
fn gitlab_has_what_is_required() {
    let issues: Vec<Value> = serde_json::from_str(&report("gitlab")).unwrap();
    assert!(issues.len() > 100, "{}", issues.len());
    let mut fingerprints = BTreeSet::new();
    for issue in &issues {
        for member in ["description", "check_name"] {
            assert!(issue[member].as_str().is_some_and(|it| !it.is_empty()), "{issue}");
        }
        let severity = issue["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{issue}");
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with(['.', '/']) && !path.is_empty(), "{issue}");
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0, "{issue}");
        assert!(fingerprints.insert(issue["fingerprint"].as_str().unwrap()), "twice: {issue}");
    }
}

/// SOURCE: github.com/actions/toolkit, docs/problem-matchers.md, "Limitations".
#[test]
fn github_stays_under_its_limit() {
    let report = report("github");
    for command in ["::error ", "::warning ", "::notice "] {
        let count = report.lines().filter(|it| it.starts_with(command)).count();
        assert!((1..=10).contains(&count), "{command}{count}");
    }
    let last = report.lines().last().unwrap();
    assert!(last.contains("the summary of the job lists all"), "{last}");
}

/// The schema is named by `ACLC_JUNIT_SCHEMA`, which `tests/run` sets where it can get one.
#[test]
fn junit_is_valid() {
    let Some(schema) = std::env::var_os("ACLC_JUNIT_SCHEMA") else {
        eprintln!("LEFT OUT: no schema of JUnit reports is given (tests/run)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xml");
    std::fs::write(&path, report("junit")).unwrap();
    let lint = |path: &PathBuf| {
        Command::new("xmllint").arg("--noout").arg("--schema").arg(&schema).arg(path).output()
    };
    let output = lint(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(&path, "<testsuites><testcase/></testsuites>").unwrap();
    assert!(!lint(&path).unwrap().status.success());
}

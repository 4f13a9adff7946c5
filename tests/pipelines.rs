//! `.pre-commit-hooks.yaml`, `action.yml` and `.gitlab/aclc.yml`: what their hosts would run is taken
//! from them and run in the same way, on a checkout with one good and one bad policy.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

const BAD: &str =
    "{\"grants\": [{\"src\": [\"tag:nobody\"], \"dst\": [\"*\"], \"ip\": [\"*\"]}]}\n";
const GOOD: &str = "{\"grants\": []}\n";

/// The one document of a file at the root of the repository.
fn yaml(path: &str) -> Yaml {
    let text = tests::read_text(&tests::root().join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

/// A folder with `policy.hujson` and `good.hujson`.
fn checkout(policy: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.hujson"), policy).unwrap();
    std::fs::write(folder.path().join("good.hujson"), GOOD).unwrap();
    folder
}

/// Runs a script as hosts do, with `aclc` on the path.
fn bash(script: &str, folder: &Path, env: &BTreeMap<String, String>) -> Output {
    let aclc = tests::aclc::build().unwrap();
    let beside = aclc.parent().unwrap().to_owned();
    let path = std::env::join_paths([beside, PathBuf::from("/usr/bin"), PathBuf::from("/bin")]);
    Command::new("bash")
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path.unwrap())
        .envs(env)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn pre_commit() {
    for hook in yaml(".pre-commit-hooks.yaml").as_vec().unwrap() {
        let (id, entry) = (hook["id"].as_str().unwrap(), hook["entry"].as_str().unwrap());
        assert_eq!(hook["language"].as_str(), Some("system"));
        let folder = checkout(BAD);
        // pre-commit appends the names of the files that match.
        let script = format!("{entry} policy.hujson good.hujson");
        let output = bash(&script, folder.path(), &BTreeMap::new());
        match id {
            "aclc-check" => {
                assert_eq!(output.status.code(), Some(1));
                assert!(stdout(&output).contains("acl/E0301"), "{}", stdout(&output));
            }
            "aclc-fmt" => {
                assert_eq!(output.status.code(), Some(0));
                let text = tests::read_text(&folder.path().join("policy.hujson")).unwrap();
                assert_eq!(Some(text), compiler::cst::format(BAD));
            }
            _ => panic!("a hook that nobody runs here: {id}"),
        }
    }
}

/// The steps of the action with these inputs, run one after the other until one fails; what they
/// print, and the exit code of the last.
fn action(inputs: &[(&str, &str)], folder: &Path) -> (String, Option<i32>) {
    let action = yaml("action.yml");
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_hash().unwrap() {
        assert!(input["description"].as_str().is_some(), "{name:?}");
        let default = input["default"].as_str().unwrap_or_default().to_owned();
        values.insert(name.as_str().unwrap().to_owned(), default);
    }
    for (name, value) in inputs {
        assert!(values.insert((*name).to_owned(), (*value).to_owned()).is_some(), "{name}");
    }
    let mut printed = String::new();
    for step in action["runs"]["steps"].as_vec().unwrap() {
        assert_eq!(step["shell"].as_str(), Some("bash"));
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "an input within a script: {script}");
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let mut env = BTreeMap::from([
            ("GITHUB_STEP_SUMMARY".to_owned(), file("summary.md")),
            ("GITHUB_PATH".to_owned(), file("path.txt")),
            ("GITHUB_ACTION_PATH".to_owned(), tests::root().to_string_lossy().into_owned()),
            ("RUNNER_TEMP".to_owned(), file("temp")),
        ]);
        for (name, value) in step["env"].as_hash().into_iter().flatten() {
            let input = value.as_str().unwrap().trim_start_matches("${{ inputs.");
            let value = values.get(input.trim_end_matches(" }}")).unwrap();
            env.insert(name.as_str().unwrap().to_owned(), value.clone());
        }
        let output = bash(script, folder, &env);
        printed += &stdout(&output);
        if !output.status.success() {
            return (printed, output.status.code());
        }
    }
    (printed, Some(0))
}

#[test]
fn github() {
    let folder = checkout(BAD);
    let (printed, code) = action(&[], folder.path());
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.starts_with("::error file=policy.hujson,line=1,"), "{printed}");
    let summary = tests::read_text(&folder.path().join("summary.md")).unwrap();
    assert!(summary.contains("- **error** `policy.hujson:1:"), "{summary}");

    let folder = checkout(GOOD);
    let both = ("files", "policy.hujson good.hujson");
    let (printed, code) = action(&[both], folder.path());
    assert_eq!(code, Some(0), "{printed}");
    // What is formatted passes, what is not fails and shows how it would be.
    let format = ("check-format", "true");
    let (printed, code) = action(&[both, format], folder.path());
    assert_eq!(code, Some(0), "{printed}");
    std::fs::write(folder.path().join("policy.hujson"), "{\"grants\":[]}").unwrap();
    let (printed, code) = action(&[both, format], folder.path());
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("+{\"grants\": []}"), "{printed}");
}

#[test]
fn github_lists_in_the_summary_what_it_does_not_annotate() {
    let grant = "{\"src\": [\"tag:nobody\"], \"dst\": [\"*\"], \"ip\": [\"*\"]}";
    let policy = format!("{{\"grants\": [{}]}}\n", [grant; 25].join(", "));
    let folder = checkout(&policy);
    let (printed, code) = action(&[], folder.path());
    assert_eq!(code, Some(1), "{printed}");
    assert_eq!(printed.lines().filter(|it| it.starts_with("::error ")).count(), 10, "{printed}");
    let summary = tests::read_text(&folder.path().join("summary.md")).unwrap();
    assert_eq!(summary.lines().filter(|it| it.contains("acl/E0301")).count(), 25, "{summary}");
}

#[test]
fn gitlab() {
    let job = &yaml(".gitlab/aclc.yml")["aclc"];
    let text = |it: &Yaml| it.as_str().unwrap().to_owned();
    let variables = job["variables"].as_hash().unwrap();
    let env = variables.iter().map(|(name, value)| (text(name), text(value))).collect();
    let script: Vec<String> = job["script"].as_vec().unwrap().iter().map(text).collect();
    for (policy, code) in [(BAD, 1), (GOOD, 0)] {
        let folder = checkout(policy);
        let output = bash(&script.join("\n"), folder.path(), &env);
        assert_eq!(output.status.code(), Some(code));
        let report = |kind: &str| {
            let name = text(&job["artifacts"]["reports"][kind]);
            tests::read_text(&folder.path().join(name)).unwrap()
        };
        let issues: Vec<serde_json::Value> = serde_json::from_str(&report("codequality")).unwrap();
        let has_errors = issues.iter().any(|it| it.get("severity").is_some_and(|it| it == "major"));
        assert_eq!(has_errors, code == 1);
        assert_eq!(report("junit").contains("acl/E0301"), code == 1);
    }
}

//! Who may know whom, read from the paths in the code: stages import only what stands to their
//! left, and each crate from outside stays where it belongs.

use std::path::PathBuf;

use libtest_mimic::{Failed, Trial};
use tests::read_text;

use crate::{none_of, relative};

/// The modules of the compiler, and which of its other modules each may name. The longest prefix
/// of a path decides.
const STAGES: &[(&str, &[&str])] = &[
    ("span", &[]),
    ("time", &[]),
    ("dialect", &[]),
    ("diagnostic", &["span", "dialect"]),
    ("cst", &["span", "diagnostic"]),
    // Comments that allow a finding: a tree and findings, whatever stage they are from.
    ("suppress", &["span", "diagnostic", "cst"]),
    // Checks what it has mended, and so stands beside the pipeline as a whole.
    ("fix", &["span", "diagnostic", "cst"]),
    ("ast", &["span", "diagnostic", "cst", "dialect"]),
    ("policy", &["span", "diagnostic", "cst", "ast", "dialect"]),
    // Facts know no policy; the tree gives the places in a broken inventory.
    ("tailnet", &["span", "time", "diagnostic", "cst"]),
    ("tables", &["span", "diagnostic", "cst", "ast", "policy", "tailnet", "dialect"]),
    (
        "analysis",
        &["span", "time", "diagnostic", "cst", "ast", "policy", "tailnet", "tables", "dialect"],
    ),
    // Settings: findings and places, and how to find places in JSON5.
    ("configuration", &["span", "diagnostic", "dialect", "tailnet"]),
    // Texts in, a text out: it knows what sections there are, and not what they mean.
    ("bundle", &["span", "diagnostic", "cst", "ast", "dialect", "configuration"]),
    ("emit", &["span", "diagnostic", "cst", "ast", "policy", "tailnet", "tables", "analysis"]),
];

/// The doors, which may name every stage.
const DOORS: &[&str] = &["lib", "main", "command"];

/// Paths that may be named in some places only.
struct Ban {
    /// Where the rule holds: the beginning of a file's path.
    within: &'static str,
    /// Where below it does not.
    except: &'static [&'static str],
    /// What is not named there.
    paths: &'static [&'static str],
}

/// Where the compiler reads or writes a format of programs.
const FORMATS: &[&str] = &[
    "compiler/src/tables/wire",
    "compiler/src/tailnet/",
    "compiler/src/configuration/",
    "compiler/src/emit/",
    "compiler/src/command",
    "compiler/src/main.rs",
];

/// The same, and where json5 is asked whether a text is JSON5: the type of its answer is serde's.
const SERDE: &[&str] = &[
    "compiler/src/cst/",
    "compiler/src/tables/wire",
    "compiler/src/tailnet/",
    "compiler/src/configuration/",
    "compiler/src/emit/",
    "compiler/src/command",
    "compiler/src/main.rs",
];

const BANS: &[Ban] = &[
    // The pipeline has no wire form but the one of its end.
    Ban { within: "compiler/src/", except: FORMATS, paths: &["serde_json"] },
    Ban { within: "compiler/src/", except: SERDE, paths: &["serde"] },
    // Inventories and configuration; and telling a person that a policy is JSON5.
    Ban {
        within: "compiler/src/",
        except: &[
            "compiler/src/tailnet/",
            "compiler/src/configuration/",
            "compiler/src/cst/",
            "compiler/src/command",
        ],
        paths: &["json5"],
    },
    Ban {
        within: "compiler/src/",
        except: &["compiler/src/cst", "compiler/src/ast"],
        paths: &["pest", "pest_derive"],
    },
    Ban {
        within: "compiler/src/",
        except: &["compiler/src/diagnostic/render", "compiler/src/command", "compiler/src/main.rs"],
        paths: &["miette"],
    },
    Ban {
        within: "compiler/src/",
        except: &["compiler/src/command", "compiler/src/main.rs"],
        paths: &[
            "clap",
            "clap_complete",
            "clap_mangen",
            "getrandom",
            "httparse",
            "sha2",
            "similar",
            "tempfile",
            "terminal_size",
            "lock",
        ],
    },
    Ban {
        within: "compiler/src/",
        except: &["compiler/src/tables", "compiler/src/command"],
        paths: &["rayon"],
    },
    // The glue of the browser stays at the door: what is behind it says no word of JavaScript.
    Ban {
        within: "wasm/src/",
        except: &["wasm/src/lib.rs", "wasm/src/answer.rs", "wasm/src/workspace.rs"],
        paths: &["wasm_bindgen"],
    },
    Ban {
        within: "lsp/src/features",
        except: &[],
        paths: &["tower_lsp", "lsp_types", "ls_types", "tokio"],
    },
    Ban { within: "lsp/src/server", except: &[], paths: &["compiler::ast", "compiler::policy"] },
    Ban {
        within: "lock/src/",
        except: &["lock/src/command", "lock/src/main.rs"],
        paths: &[
            "compiler",
            "serde",
            "serde_json",
            "clap",
            "jiff",
            "tempfile",
            "getrandom",
            "std::env",
            "std::net",
            "std::thread",
        ],
    },
    // The store is the one place of the library that touches files, and sees what time they have.
    Ban {
        within: "lock/src/",
        except: &["lock/src/command", "lock/src/main.rs", "lock/src/store"],
        paths: &["std::fs", "std::time", "std::process"],
    },
];

pub(crate) fn trials(files: &[PathBuf]) -> Vec<Trial> {
    let code: Vec<PathBuf> =
        files.iter().filter(|it| it.extension().is_some_and(|it| it == "rs")).cloned().collect();
    let again = code.clone();
    vec![
        Trial::test("stages import what stands to their left", move || stages(&code)),
        Trial::test("crates stay where they belong", move || bans(&again)),
    ]
}

fn stages(files: &[PathBuf]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for file in files {
        let path = relative(file);
        let Some(module) = path.strip_prefix("compiler/src/").and_then(|it| it.strip_suffix(".rs"))
        else {
            continue;
        };
        let top = module.split('/').next().unwrap_or_default();
        if DOORS.contains(&top) {
            continue;
        }
        let inside = |stage: &str| {
            module == stage || module.strip_prefix(stage).is_some_and(|it| it.starts_with('/'))
        };
        let stage = STAGES.iter().filter(|it| inside(it.0)).max_by_key(|it| it.0.len());
        let Some((_, allowed)) = stage else {
            wrong.push(format!("{path} belongs to no stage"));
            continue;
        };
        for name in own_modules(&read_text(file)?, module.split('/').count()) {
            let known = DOORS.contains(&name.as_str()) || STAGES.iter().any(|it| it.0 == name);
            if known && name != top && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{path} names `{name}`"));
            }
        }
    }
    none_of(wrong)
}

fn bans(files: &[PathBuf]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for file in files {
        let path = relative(file);
        let bans: Vec<&Ban> = BANS
            .iter()
            .filter(|it| {
                path.starts_with(it.within) && !it.except.iter().any(|it| path.starts_with(it))
            })
            .collect();
        if bans.is_empty() {
            continue;
        }
        let names = outside_paths(&read_text(file)?);
        for banned in bans.iter().flat_map(|it| it.paths) {
            let below = format!("{banned}::");
            if names.iter().any(|it| it == banned || it.starts_with(&below)) {
                wrong.push(format!("{path} names `{banned}`"));
            }
        }
    }
    none_of(wrong)
}

/// The modules of its own crate that a file names, by `crate::` or by enough `super::`; `depth` is
/// how many modules it lies below the crate.
fn own_modules(text: &str, depth: usize) -> Vec<String> {
    let tokens = tokens(text);
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 && tokens.get(index - 1) == Some(&"::") {
            continue;
        }
        let mut at = index;
        let mut above = 0;
        while tokens.get(at) == Some(&"super") && tokens.get(at + 1) == Some(&"::") {
            above += 1;
            at += 2;
        }
        if *token == "crate" && tokens.get(index + 1) == Some(&"::") {
            (above, at) = (depth, index + 2);
        }
        if above >= depth && at > index {
            names.extend(heads(&tokens, at));
        }
    }
    names.iter().map(|it| (*it).to_owned()).collect()
}

/// Every path of two parts that a file names and that does not begin in its own crate.
fn outside_paths(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut paths = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|it| tokens.get(it));
        let inner = before == Some(&"::") || ["crate", "super", "self", "Self"].contains(token);
        if inner || !is_name(token) {
            continue;
        }
        if tokens.get(index + 1) == Some(&"::") {
            paths.extend(heads(&tokens, index + 2).iter().map(|head| format!("{token}::{head}")));
        } else if before == Some(&"use") {
            paths.push((*token).to_owned());
        }
    }
    paths
}

/// The names a path goes on with: one, or each at the start of a branch in braces.
fn heads<'t>(tokens: &[&'t str], at: usize) -> Vec<&'t str> {
    let Some(first) = tokens.get(at) else { return Vec::new() };
    if *first != "{" {
        return vec![first];
    }
    let mut names = Vec::new();
    let mut depth = 0;
    let mut before = "";
    for token in tokens.iter().skip(at) {
        if depth == 1 && matches!(before, "{" | ",") && is_name(token) {
            names.push(*token);
        }
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        before = token;
    }
    names
}

fn is_name(token: &str) -> bool {
    token.starts_with(|it: char| it.is_alphabetic() || it == '_')
}

/// Names, `::` and single other characters, without comments and without the unit tests at the
/// end of a file, which may know everything.
fn tokens(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut tokens = Vec::new();
    for line in code.lines().map(str::trim_start).filter(|it| !it.starts_with("//")) {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if is_name(rest) {
                rest.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            if !first.is_whitespace() {
                tokens.push(token);
            }
            rest = after;
        }
    }
    tokens
}

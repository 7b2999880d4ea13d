//! What holds of every file of this project: it says what it is for, stays readable in one sitting,
//! and names only those it may know.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, by its path from the root of the project.
struct Source {
    path: String,
    text: String,
}

/// All Rust files of the five folders.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["wire", "server", "tui-client", "tests"].map(|folder| root().join(folder)).into();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a readable directory") {
            let path = entry.expect("an entry").path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some("target" | "corpus" | "artifacts") => {}
                _ if path.is_dir() => open.push(path),
                Some(name) if name.ends_with(".rs") => found.push(Source {
                    text: fs::read_to_string(&path).expect("readable"),
                    path: path.strip_prefix(root()).expect("below the root").display().to_string(),
                }),
                _ => {}
            }
        }
    }
    assert!(found.len() > 30, "only {} files found below {}", found.len(), root().display());
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

/// Fails with every file that `complaint` has something to say about.
fn all(complaint: impl Fn(&Source) -> Option<String>) {
    let complaints: Vec<String> =
        sources().iter().filter_map(|source| Some(format!("{}: {}", source.path, complaint(source)?))).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Whether the file is all tests.
fn is_suite(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/fuzz/")
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    all(|source| {
        let words = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        (words == 0).then(|| "does not open with `//!`".into())
    });
}

#[test]
fn no_file_is_too_long_to_read() {
    all(|source| {
        let most = if is_suite(&source.path) { 800 } else { 500 };
        let code = source.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let (lines, all_lines) = (code.lines().count(), source.text.lines().count());
        (lines > most || all_lines > 800).then(|| format!("{lines} lines and {all_lines} with its tests"))
    });
}

#[test]
fn no_module_is_hidden_in_a_mod_rs() {
    all(|source| source.path.ends_with("/mod.rs").then(|| "is a mod.rs".into()));
}

#[test]
fn nobody_names_those_it_must_not_know() {
    // (whose files, what they must not name)
    let walls: &[(&str, &[&str])] = &[
        ("wire/src/", &["server::", "tui_client", "std::net", "tokio::net", "Instant::now", "SystemTime::now"]),
        ("server/src/", &["tui_client", "ratatui", "crossterm"]),
        ("tui-client/src/", &["server::start", "use server", "rusqlite", "argon2"]),
        ("tui-client/src/engine", &["ratatui", "crossterm", "crate::app", "crate::view", "crate::runtime"]),
        ("tui-client/src/app", &["std::fs", "rustix::", "tokio::", "crate::runtime", ".await"]),
        ("tui-client/src/update", &["std::fs", "rustix::", "tokio::", "crate::runtime", ".await"]),
        ("tui-client/src/view", &["std::fs", "rustix::", "tokio::", "crate::runtime", ".await"]),
        // On the screen's thread, too: no disk is touched, no name looked up.
        ("tui-client/src/runtime/turn", &["std::fs", "rustix::fs", "std::net", "std::process", "block_on"]),
        ("tui-client/src/runtime/doer.rs", &["std::fs", "rustix::fs", "std::net", "std::process", "block_on"]),
        ("server/src/vault", &["rusqlite", "TcpStream", "crate::session", "crate::catalog"]),
        ("server/src/handlers", &["TcpStream", "rusqlite"]),
        ("server/src/catalog", &["TcpStream", "crate::vault", "crate::session"]),
    ];
    all(|source| {
        let code = source.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let named = walls.iter().filter(|(whose, _)| source.path.starts_with(whose)).flat_map(|(_, names)| *names);
        let lines = || code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let named: Vec<&str> = named.copied().filter(|name| lines().any(|line| line.contains(name))).collect();
        (!named.is_empty() && !is_suite(&source.path)).then(|| format!("names {}", named.join(", ")))
    });
}

#[test]
fn sql_stays_in_the_catalog_and_bincode_in_the_encoding() {
    let owners =
        [("rusqlite::", "server/src/catalog"), ("bincode::", "wire/src/encoding.rs"), ("openat2", "server/src/vault")];
    all(|source| {
        let stray = owners.iter().find(|(name, owner)| {
            let mut lines = source.text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            !source.path.starts_with(owner) && !is_suite(&source.path) && lines.any(|line| line.contains(name))
        });
        stray.map(|(name, owner)| format!("names {name}, which belongs to {owner}"))
    });
}

#[test]
fn nothing_is_left_for_later() {
    // In two parts, so that this file does not accuse itself.
    let marks = [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("to", "do!"), ("unimpl", "emented!"), ("#[ign", "ore")];
    all(|source| {
        let mark = marks.iter().map(|(a, b)| format!("{a}{b}")).find(|mark| source.text.contains(mark.as_str()));
        mark.map(|mark| format!("holds {mark}"))
    });
}

#[test]
fn the_commands_of_the_readme_are_those_that_are_run() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect(name);
    let (readme, ci, recipes) = (read("README.md"), read(".ci/run"), read("justfile"));
    for command in ["cargo demo", "cargo test --workspace"] {
        assert!(readme.contains(command), "README.md does not say `{command}`");
        assert!(ci.contains(command), ".ci/run does not run `{command}`");
        assert!(recipes.contains(command), "the justfile does not run `{command}`");
    }
    for recipe in ["demo", "test", "ci", "lint", "fmt", "bench", "doc"] {
        assert!(recipes.lines().any(|line| line.split([' ', ':']).next() == Some(recipe)), "no recipe {recipe}");
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = fs::read_to_string(root().join("SECURITY.md")).expect("readable");
    let sources = sources();
    let named: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|text| text.split_once("::")).collect();
    let named: Vec<_> = named.into_iter().filter(|named| *named != ("suite", "test")).collect();
    assert!(named.len() > 20, "only {} tests are named", named.len());
    for (suite, test) in named {
        let has_it = |source: &Source| {
            let is_of = source.path.ends_with(&format!("/{suite}.rs")) || source.path.contains(&format!("/{suite}/"));
            is_of && source.text.contains(&format!("fn {test}("))
        };
        assert!(sources.iter().any(has_it), "`{suite}::{test}` is nowhere");
    }
}

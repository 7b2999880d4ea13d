//! For tests: files of `assets/` that are made from the tables of the program.

/// A file of `assets/` that is made from the table holds what is made from it now; snapshots that are updated take
/// it along.
pub(crate) fn check(name: &str, made: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(name);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(&file, made).unwrap();
    }
    assert!(std::fs::read_to_string(&file).unwrap() == made, "assets/{name} is out of date: just manual");
}

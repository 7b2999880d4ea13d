//! Manual pages and shell completions, made from what the programs go by: their command lines, the commented
//! defaults and the table of keys. `just pages` writes them; a test holds what is in `assets` against this.

use anyhow::{Context, Result, ensure};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use roff::{Inline, Roff, bold, roman};

/// A file of `assets`: its path there, and what it holds.
#[derive(Debug)]
pub struct Page {
    /// Below `assets`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// All of them.
pub fn pages() -> Result<Vec<Page>> {
    let (client, server) = (client(), server());
    let mut pages = vec![
        Page { path: "man/catamaran.1".into(), text: man(&client, "1", CLIENT_ALSO)? },
        Page { path: "man/catamaran-server.8".into(), text: man(&server, "8", SERVER_ALSO)? },
        configuration("catamaran-server.toml", "catamaran-server(8)", server::config::DEFAULTS)?,
        configuration("catamaran-client.toml", "catamaran(1)", tui_client::config::DEFAULTS)?,
        Page { path: "man/catamaran-keys.7".into(), text: keys(&tui_client::keymap::keys_file())? },
    ];
    for command in [client, server] {
        for (shell, path) in [(Shell::Bash, "NAME.bash"), (Shell::Zsh, "_NAME"), (Shell::Fish, "NAME.fish")] {
            let (name, mut text) = (command.get_name().to_owned(), Vec::new());
            clap_complete::generate(shell, &mut command.clone(), &name, &mut text);
            let path = format!("completions/{}", path.replace("NAME", &name));
            pages.push(Page { path, text: String::from_utf8(text)? });
        }
    }
    Ok(pages)
}

/// The command lines under the names that are installed.
fn client() -> Command {
    tui_client::cli::Arguments::command().name("catamaran").bin_name("catamaran")
}

fn server() -> Command {
    server::cli::Flags::command().name("catamaran-server").bin_name("catamaran-server")
}

/// A page of a program; of its commands, each has a part.
fn man(command: &Command, section: &str, also: &[&str]) -> Result<String> {
    let (mut out, mut command) = (Vec::new(), command.clone());
    command.build();
    let page = Man::new(command.clone()).section(section).date("").manual(MANUAL);
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let mut text = Vec::new();
        // What every command has stands above.
        let own = part.clone().mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
        let page = Man::new(own);
        page.render_synopsis_section(&mut text)?;
        page.render_description_section(&mut text)?;
        page.render_options_section(&mut text)?;
        let title =
            Roff::new().control("SH", [format!("{} {}", command.get_name(), part.get_name()).as_str()]).render();
        out.extend(title.into_bytes());
        out.extend(String::from_utf8(text)?.replace(".SH ", ".SS ").into_bytes());
    }
    let mut end = Roff::new();
    see_also(&mut end, also);
    out.extend(end.render().into_bytes());
    lines(&String::from_utf8(out)?)
}

/// A page of commented settings: comments are text, settings stand as they are written.
fn configuration(name: &str, of: &str, defaults: &str) -> Result<Page> {
    let mut page = begin(name, "5", &format!("settings of {of}"));
    page.control("SH", ["DESCRIPTION"]);
    let mut was_setting = false;
    for line in defaults.lines() {
        let comment = line.strip_prefix('#').map(str::trim).filter(|text| !is_setting(text));
        if let Some(section) = line.strip_prefix('[') {
            page.control("SH", [section.trim_end_matches(']')]);
        } else if let Some(text) = comment {
            if was_setting {
                page.control("PP", []);
            }
            page.text([roman(text)]);
        } else if line.is_empty() {
            page.control("PP", []);
        } else {
            page.control(if was_setting { "br" } else { "PP" }, []);
            page.text([bold(line)]);
        }
        was_setting = !line.is_empty() && comment.is_none() && !line.starts_with('[');
    }
    see_also(&mut page, &[of]);
    Ok(Page { path: format!("man/{name}.5"), text: lines(&page.render())? })
}

/// `# key = value`, which is a setting without a default.
fn is_setting(comment: &str) -> bool {
    comment.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
}

/// A page of keys, from a keys.toml with every action: `# action = ["Key", "Key"]    # what it does` in groups.
fn keys(file: &str) -> Result<String> {
    let mut page = begin("catamaran-keys", "7", "keys of the full-screen client");
    page.control("SH", ["DESCRIPTION"]);
    let mut actions = 0;
    for line in file.lines() {
        let Some(text) = line.strip_prefix("# ") else { continue };
        let parts = text.split_once(" = [").and_then(|(name, rest)| Some((name, rest.split_once("]    # ")?)));
        match parts {
            Some((name, (keys, what))) => {
                let keys = keys.replace("\", \"", "\\0").replace('"', "").replace("\\0", "  ");
                page.control("TP", []);
                page.text([bold(if keys.is_empty() { "(none)" } else { &keys })]);
                page.text([roman(format!("{what} ({name})"))]);
                actions += 1;
            }
            None if text.split_whitespace().count() == 1 => {
                page.control("SH", [text.to_uppercase().as_str()]);
            }
            None => {
                page.text([roman(text)]);
            }
        }
    }
    ensure!(actions > 50, "only {actions} actions were understood");
    see_also(&mut page, &["catamaran(1)"]);
    lines(&page.render())
}

fn begin(name: &str, section: &str, what: &str) -> Roff {
    let mut page = Roff::new();
    let source = format!("{name} {}", env!("CARGO_PKG_VERSION"));
    page.control("TH", [name, section, "", source.as_str(), MANUAL]);
    page.control("SH", ["NAME"]);
    page.text([Inline::Roman(format!("{name} - {what}"))]);
    page
}

fn see_also(page: &mut Roff, also: &[&str]) {
    page.control("SH", ["SEE ALSO"]);
    page.text([roman(also.join(", "))]);
}

/// Without blanks at the ends of lines, and with one end of a line at the end.
fn lines(text: &str) -> Result<String> {
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    text.find(".TH").map(|_| text).context("a page without a title")
}

const MANUAL: &str = "Catamaran";
const CLIENT_ALSO: &[&str] = &["catamaran-client.toml(5)", "catamaran-keys(7)", "catamaran-server(8)"];
const SERVER_ALSO: &[&str] = &["catamaran(1)", "catamaran-server.toml(5)"];

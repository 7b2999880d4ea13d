//! A second wall behind the jail of each home: the kernel lets the process open what lies in its data directory,
//! read what its configuration names, write its audit, and nothing else, and it connects to nobody (Landlock).

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread::available_parallelism;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, PathFdError, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::config::Config;
use crate::metrics::process::PROCESS;

/// Cores that the process may use. Asked for before it is confined: what a container allows is told in files.
pub static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));

/// Why the process could not be confined.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel has Landlock and did not take it.
    #[error("cannot confine the process; `landlock = false` in the configuration does without")]
    Kernel(#[from] RulesetError),
    /// A directory of the configuration.
    #[error("also_reach: cannot open {}; mount or make it, or take it out of the configuration", path.display())]
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: PathFdError,
    },
}

/// What stands of the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wall {
    /// Files and connections.
    Whole,
    /// As much as this kernel knows of it.
    Partly,
    /// Nothing: the kernel has no Landlock, or one without `rename` between directories (before Linux 5.19).
    None,
    /// Nothing: `landlock = false`.
    Off,
}

impl Wall {
    /// For the log.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Partly => "partly: the kernel is older than Linux 6.10",
            Self::None => "none: the kernel has no Landlock, or an old one",
            Self::Off => "off by configuration",
        }
    }
}

/// Confines this thread and those it starts from now on, for ever: to be called before there are others. `file` is the
/// configuration's. The data directory must be there.
pub fn confine(config: &Config, file: Option<&Path>) -> Result<Wall, SandboxError> {
    LazyLock::force(&CORES);
    LazyLock::force(&PROCESS);
    if !config.landlock {
        return Ok(Wall::Off);
    }
    // Without it no file could get its name: from then on they may be moved only within one directory.
    let needed = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::Refer);
    let Ok(ruleset) = needed else { return Ok(Wall::None) };
    let read = [file, config.certificate.as_deref(), config.key.as_deref()];
    let read = read.into_iter().flatten().flat_map(directories);
    // Made anew when it was moved away.
    let audit = config.audit_log.iter().flat_map(|file| directories(file));
    let append = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg;
    let reach = |path: &PathBuf| match PathFd::new(path) {
        Ok(opened) => Ok(PathBeneath::new(opened, AccessFs::from_all(KNOWN))),
        Err(source) => Err(SandboxError::Unreachable { path: path.clone(), source }),
    };
    let reached = config.also_reach.iter().map(reach);
    let status = ruleset
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::ConnectTcp)?
        .create()?
        .add_rules(path_beneath_rules([&config.data_dir], AccessFs::from_all(KNOWN)))?
        .add_rules(reached)?
        .add_rules(path_beneath_rules(read, AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(audit, append))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Wall::Whole,
        RulesetStatus::PartiallyEnforced => Wall::Partly,
        RulesetStatus::NotEnforced => Wall::None,
    })
}

/// Where a file is looked for and where it lies: one that is put in its place is found there again.
fn directories(file: &Path) -> impl Iterator<Item = PathBuf> {
    [Some(file.to_owned()), file.canonicalize().ok()].into_iter().flatten().map(|file| {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    })
}

/// What is refused, as far as the kernel can: everything up to `ioctl` on devices.
const KNOWN: ABI = ABI::V5;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::symlink;

    /// In a thread of its own: the others are to stay as they are.
    fn confined(config: Config, file: Option<PathBuf>, check: impl FnOnce(Wall) + Send + 'static) {
        let run = move || check(confine(&config, file.as_deref()).expect("confined"));
        std::thread::spawn(run).join().expect("it holds");
    }

    #[test]
    fn only_the_data_directory_and_what_is_named_is_reached() {
        let place = tempfile::tempdir().expect("a directory");
        let path = |name: &str| place.path().join(name);
        for dir in ["data/a", "data/b", "etc/live", "etc/archive", "else", "disk"] {
            fs::create_dir_all(path(dir)).expect("made");
        }
        fs::write(path("etc/archive/cert1.pem"), "c").expect("written");
        fs::write(path("else/secret"), "s").expect("written");
        symlink("../archive/cert1.pem", path("etc/live/cert.pem")).expect("linked");
        symlink(path("else"), path("data/out")).expect("linked");
        let config = Config {
            data_dir: path("data"),
            certificate: Some(path("etc/live/cert.pem")),
            also_reach: vec![path("disk")],
            ..Config::default()
        };
        let neighbour = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = neighbour.local_addr().expect("an address");
        let root = place.path().to_owned();
        confined(config, None, move |wall| {
            if wall == Wall::None {
                // Nothing can be shown on such a kernel; that it is told is all there is.
                return;
            }
            let path = |name: &str| root.join(name);
            let denied = |what: std::io::Result<()>| what.expect_err("it is refused").kind();
            fs::write(path("data/a/f"), "f").expect("inside");
            fs::rename(path("data/a/f"), path("data/b/f")).expect("from directory to directory");
            fs::write(path("disk/f"), "f").expect("also reached");
            assert_eq!(fs::read(path("etc/live/cert.pem")).expect("read"), b"c");
            fs::rename(path("data/b/f"), path("etc/live/f")).expect_err("not out");
            for secret in ["else/secret", "data/out/secret"] {
                assert_eq!(denied(fs::read(path(secret)).map(drop)), ErrorKind::PermissionDenied, "{secret}");
            }
            for made in ["else/new", "data/out/new", "etc/live/new"] {
                assert_eq!(denied(fs::write(path(made), "x")), ErrorKind::PermissionDenied, "{made}");
            }
            if wall == Wall::Whole {
                assert_eq!(denied(TcpStream::connect(address).map(drop)), ErrorKind::PermissionDenied);
            }
            TcpListener::bind("127.0.0.1:0").expect("it may listen");
        });
        TcpStream::connect(address).expect("other threads are as they were");
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let place = tempfile::tempdir().expect("a directory");
        let config = Config {
            data_dir: place.path().to_owned(),
            also_reach: vec![place.path().join("unmounted")],
            ..Config::default()
        };
        let refused = std::thread::spawn(move || confine(&config, None)).join().expect("ended");
        match refused {
            Err(SandboxError::Unreachable { path, .. }) => assert!(path.ends_with("unmounted")),
            other => assert_eq!(other.ok(), Some(Wall::None), "on a kernel without it nothing is opened"),
        }
    }

    #[test]
    fn it_can_be_switched_off() {
        let place = tempfile::tempdir().expect("a directory");
        let config = Config { data_dir: place.path().to_owned(), landlock: false, ..Config::default() };
        confined(config, None, |wall| {
            assert_eq!(wall, Wall::Off);
            fs::read_dir("/").expect("anything");
        });
    }
}

//! Stored files against their records. A file is read once, by whoever asks; what differs is looked at again until
//! nothing is under way that explains it, for others write meanwhile.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::reader::{Cut, Reader};
use super::{CustodyError, is_alike, open};
use crate::catalog::{Catalog, Recorded, Round, Scope, Standing, UserId, What};
use crate::vault::{Home, Node, Stamp, Vault, VaultError};

/// What is looked at, and how.
#[derive(Debug)]
pub struct Verification {
    /// Records.
    pub catalog: Catalog,
    /// Their files.
    pub vault: Vault,
    /// Whose.
    pub scope: Scope,
    /// Bytes a second; `None`: as fast as it goes.
    pub rate: Option<u64>,
    /// Ends it; the next one goes on.
    pub stop: CancellationToken,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// With other bytes than were proven.
    pub damaged: u64,
    /// Written past the server.
    pub changed: u64,
    /// Not there.
    pub missing: u64,
    /// That could not be read.
    pub unreadable: u64,
    /// That changed all the time they were looked at. The next round may have more luck.
    pub unsettled: u64,
}

/// Takes what was found, as it is found.
pub trait Tell: FnMut(&Recorded, What) -> io::Result<()> {}
impl<F: FnMut(&Recorded, What) -> io::Result<()>> Tell for F {}

impl Summary {
    /// Whether all that was looked at is what its record says.
    pub fn is_clean(&self) -> bool {
        self.damaged + self.changed + self.missing + self.unreadable == 0
    }

    fn count(&mut self, what: What) {
        let count = match what {
            What::Damaged => &mut self.damaged,
            What::Changed => &mut self.changed,
            What::Missing => &mut self.missing,
            What::Unreadable => &mut self.unreadable,
        };
        *count += 1;
    }
}

/// What a look saw.
enum Seen {
    /// What the record says, under this number on the disk.
    Proven(u64),
    /// Something else, in this state of the file.
    Differs(What, Option<Stamp>),
    Stopped,
}

impl Verification {
    /// Goes through a round to its end: the one that was cut off, unless it is to begin `anew`. What that one
    /// had found is told first.
    pub async fn run(self, anew: bool, mut tell: impl Tell) -> Result<Summary, CustodyError> {
        let mut round = self.catalog.begin_round(self.scope, anew).await?;
        let mut summary = Summary::default();
        for earlier in self.catalog.found(&round).await? {
            if let Some(what) = earlier.found {
                summary.count(what);
                tell(&earlier, what)?;
            }
        }
        let done = self.go_on(&mut round, &mut summary, &mut tell).await;
        self.catalog.save_round(&round, done.is_ok()).await?;
        done?;
        Ok(Summary { files: round.files, bytes: round.bytes, ..summary })
    }

    async fn go_on(&self, round: &mut Round, summary: &mut Summary, tell: &mut impl Tell) -> Result<(), CustodyError> {
        let mut reader = Reader::new(self.rate, self.stop.clone());
        let mut saved = Instant::now();
        let mut homes = Homes { vault: &self.vault, last: None };
        let mut restless = HashSet::new();
        loop {
            let page = self.catalog.recorded(round, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for recorded in page {
                let home = homes.of(&recorded);
                let seen;
                (reader, seen) = look(reader, home.clone(), recorded.clone()).await?;
                match seen {
                    Seen::Stopped => return Err(CustodyError::Stopped),
                    Seen::Proven(inode) => self.proven(&recorded, inode).await?,
                    Seen::Differs(what, state) => match self.confirm(home, &recorded, state, &mut restless).await? {
                        Standing::Same => {
                            self.catalog.note_finding(&recorded.key, recorded.stamp, what).await?;
                            summary.count(what);
                            tell(&recorded, what)?;
                        }
                        Standing::Unsettled => summary.unsettled += 1,
                        // It was proven when it was stored just now.
                        Standing::Other => {}
                    },
                }
                round.files += 1;
                round.bytes = round.bytes.saturating_add(recorded.stamp.size);
                round.at = recorded.key;
                if saved.elapsed() > SAVE {
                    self.catalog.save_round(round, false).await?;
                    saved = Instant::now();
                }
            }
        }
    }

    async fn proven(&self, recorded: &Recorded, inode: u64) -> Result<(), CustodyError> {
        if recorded.found.is_some() || recorded.stamp.inode != inode {
            self.catalog.note_proof(&recorded.key, recorded.stamp, inode).await?;
        }
        Ok(())
    }

    /// Whether what was seen is so. The ledger's marks tell what is under way: between two of them disk and records
    /// agree, but for what was done past the server.
    async fn confirm(
        &self,
        home: Result<Arc<Home>, What>,
        recorded: &Recorded,
        seen: Option<Stamp>,
        restless: &mut HashSet<UserId>,
    ) -> Result<Standing, CustodyError> {
        // After an unclean end marks stay until the next start: they are waited for once.
        let tries = if restless.contains(&recorded.key.user()) { 1 } else { TRIES };
        for _ in 0..tries {
            let standing = self.catalog.standing(&recorded.key, recorded.stamp).await?;
            let state = state(home.clone(), recorded.clone()).await?;
            match standing {
                Standing::Other => return Ok(Standing::Other),
                Standing::Same if state == seen => return Ok(Standing::Same),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        restless.insert(recorded.key.user());
        Ok(Standing::Unsettled)
    }
}

/// The home that was used last, for neighbours have the same; or what its files are without one.
struct Homes<'a> {
    vault: &'a Vault,
    last: Option<(UserId, Result<Arc<Home>, What>)>,
}

impl Homes<'_> {
    fn of(&mut self, recorded: &Recorded) -> Result<Arc<Home>, What> {
        let user = recorded.key.user();
        if let Some((_, home)) = self.last.as_ref().filter(|(last, _)| *last == user) {
            return home.clone();
        }
        let home = self.vault.existing_home(&recorded.name).map(Arc::new).map_err(|error| match error {
            VaultError::NotFound => What::Missing,
            // Those of others are looked at all the same.
            error => {
                tracing::error!(user = %recorded.name, %error, "a home cannot be opened");
                What::Unreadable
            }
        });
        self.last = Some((user, home.clone()));
        home
    }
}

/// Reads the file, in one task of the disk.
async fn look(
    mut reader: Reader,
    home: Result<Arc<Home>, What>,
    recorded: Recorded,
) -> Result<(Reader, Seen), CustodyError> {
    let looking = tokio::task::spawn_blocking(move || {
        let seen = match home {
            Ok(home) => examine(&mut reader, &home, &recorded),
            Err(what) => Seen::Differs(what, None),
        };
        (reader, seen)
    });
    looking.await.map_err(CustodyError::Lost)
}

fn examine(reader: &mut Reader, home: &Home, recorded: &Recorded) -> Seen {
    let (file, node) = match open(home, &recorded.place) {
        Ok(opened) => opened,
        Err(VaultError::NotFound | VaultError::NotDirectory | VaultError::IsDirectory) => {
            return Seen::Differs(What::Missing, None);
        }
        Err(_) => return Seen::Differs(What::Unreadable, None),
    };
    let differs = |what| Seen::Differs(what, Some(node.stamp));
    if !is_alike(&node.stamp, &recorded.stamp) {
        return differs(What::Changed);
    }
    let root = match reader.root(&file, node.stamp.size) {
        Ok(root) => root,
        Err(Cut::Stopped) => return Seen::Stopped,
        Err(Cut::Shorter) => return differs(What::Changed),
        Err(Cut::Io) => return differs(What::Unreadable),
    };
    match Node::of_file(&file) {
        Ok(after) if after.stamp != node.stamp => differs(What::Changed),
        _ if root == recorded.stamp.root => Seen::Proven(node.stamp.inode),
        _ => differs(What::Damaged),
    }
}

/// The state of the file by now, without reading it.
async fn state(home: Result<Arc<Home>, What>, recorded: Recorded) -> Result<Option<Stamp>, CustodyError> {
    let look = move || open(home.as_ref().ok()?, &recorded.place).ok().map(|found| found.1);
    let opened = tokio::task::spawn_blocking(look);
    Ok(opened.await.map_err(CustodyError::Lost)?.map(|node| node.stamp))
}

/// Records that are asked for together.
const PAGE: u32 = 64;
/// How often it is kept how far a round has come.
const SAVE: Duration = Duration::from_secs(5);
/// Between two looks at what differs, and how many there are.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 50;

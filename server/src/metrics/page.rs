//! The page: every figure from where it is kept. Its length is bounded by the accounts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::process::PROCESS;
use super::text::Text;
use crate::bandwidth::Way;
use crate::catalog::{Account, Catalog, Figures};
use crate::commons::Commons;
use crate::gate::Gate;
use crate::refusals::{Reason, Refusals};
use crate::session::{Sessions, Standing};
use crate::vault::Vault;

/// Everything that a running server can be asked for its figures.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) catalog: Catalog,
    pub(crate) vault: Vault,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) gate: Gate,
    pub(crate) refusals: Refusals,
    pub(crate) commons: Arc<Commons>,
    pub(crate) started: Instant,
}

impl Observed {
    /// A page of all figures. What cannot be read now is left out.
    pub(super) async fn page(&self) -> String {
        let mut text = Text::default();
        self.process(&mut text);
        self.connections(&mut text);
        match self.catalog.users().await {
            Ok(users) => self.users(&mut text, &users),
            Err(error) => tracing::warn!(%error, "accounts cannot be told to a scraper"),
        }
        self.content(&mut text);
        match self.catalog.figures().await {
            Ok(figures) => custody(&mut text, &figures),
            Err(error) => tracing::warn!(%error, "custody cannot be told to a scraper"),
        }
        self.disk(&mut text).await;
        text.finish()
    }

    fn process(&self, text: &mut Text) {
        let bound = crate::memory::bound(&self.commons.live.now());
        text.gauge("catamaran_build_info", "The running version.")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1)
            .gauge("catamaran_uptime_seconds", "Since the start.")
            .sample(&[], self.started.elapsed().as_secs())
            .gauge("catamaran_memory_bound_bytes", "The most memory that the limits allow.")
            .sample(&[], bound);
        if let Some(resident) = PROCESS.resident() {
            text.gauge("process_resident_memory_bytes", "Memory that the server occupies.").sample(&[], resident);
        }
        if let Some(files) = PROCESS.open_files() {
            text.gauge("process_open_fds", "Open files and sockets.").sample(&[], files);
        }
    }

    fn connections(&self, text: &mut Text) {
        let Standing { sessions, lanes, controls } = self.sessions.standing();
        text.gauge("catamaran_connections", "Connections, by what they are.")
            .sample(&[("state", "guest")], self.gate.guests())
            .sample(&[("state", "control")], controls)
            .sample(&[("state", "lane")], lanes);
        text.gauge("catamaran_sessions", "Sessions, with those that may still be taken up.").sample(&[], sessions);
        text.counter("catamaran_logins_total", "Logins that opened a session.")
            .sample(&[], self.commons.counters.logins.value());
        text.counter("catamaran_refusals_total", "Who was refused, by reason.");
        for reason in Reason::ALL {
            text.sample(&[("reason", reason.name())], self.refusals.of(reason));
        }
    }

    fn users(&self, text: &mut Text, users: &[Account]) {
        text.counter("catamaran_bytes_total", "Bytes of a user's connections, up to the server and down from it.");
        for user in users {
            let traffic = self.commons.traffic.known(user.id);
            for (way, name) in [(Way::Up, "up"), (Way::Down, "down")] {
                let moved = traffic.as_ref().map_or(0, |traffic| traffic.moved(way).load(Ordering::Relaxed));
                text.sample(&[("user", user.name.as_str()), ("way", name)], moved);
            }
        }
        let mut gauge = |name, help, figure: fn(&Account) -> Option<u64>| {
            text.gauge(name, help);
            for (user, figure) in users.iter().filter_map(|user| Some((user, figure(user)?))) {
                text.sample(&[("user", user.name.as_str())], figure);
            }
        };
        gauge("catamaran_quota_bytes", "What a user may hold; nothing where there is no limit.", |user| user.quota);
        gauge("catamaran_used_bytes", "What a user holds.", |user| Some(user.used));
        gauge("catamaran_max_files", "Files that a user may hold, likewise.", |user| user.max_files);
        gauge("catamaran_files", "Files that a user holds.", |user| Some(user.files));
    }

    fn content(&self, text: &mut Text) {
        let counters = &self.commons.counters;
        text.counter("catamaran_files_published_total", "Files that were stored whole and proven.")
            .sample(&[], counters.published.value());
        text.counter("catamaran_blocks_held_total", "Blocks that did not travel, for they were there, proven.")
            .sample(&[("way", "up")], counters.held_up.value())
            .sample(&[("way", "down")], counters.held_down.value());
        text.counter("catamaran_ledger_drifts_total", "Rescans that found another figure than the ledger's.")
            .sample(&[], counters.drifts.value());
        text.histogram("catamaran_sync_seconds", "How long content took to be synced.", &counters.syncs);
        let commits = self.catalog.commits();
        text.histogram("catamaran_catalog_commit_seconds", "How long transactions of the catalog took.", commits);
    }

    async fn disk(&self, text: &mut Text) {
        let uploads = self.catalog.uploads().await.unwrap_or_default();
        let vault = self.vault.clone();
        let (count, mut names) = (uploads.len(), uploads.into_iter().map(|upload| upload.name).collect::<Vec<_>>());
        names.dedup();
        let looked = tokio::task::spawn_blocking(move || {
            let staged =
                |name| Some(vault.existing_home(name).ok()?.staged().ok()?.iter().map(|it| it.bytes).sum::<u64>());
            (names.iter().filter_map(staged).sum::<u64>(), vault.space().ok())
        });
        let Ok((staged, space)) = looked.await else { return };
        text.gauge("catamaran_uploads_unfinished", "Uploads that were begun and not finished.").sample(&[], count);
        text.gauge("catamaran_staging_bytes", "What they take on the disk.").sample(&[], staged);
        if let Some(space) = space {
            text.gauge("catamaran_disk_free_bytes", "Free on the disk of the homes.").sample(&[], space.free);
            text.gauge("catamaran_disk_size_bytes", "Its size.").sample(&[], space.total);
        }
    }
}

fn custody(text: &mut Text, figures: &Figures) {
    text.gauge("catamaran_findings", "Stored files that are not what their records say, by what was found.");
    for (what, count) in &figures.findings {
        text.sample(&[("what", what.name())], count);
    }
    if let Some((files, bytes)) = figures.round {
        text.gauge("catamaran_verify_round_files", "Files that the server's last round has looked at.");
        text.sample(&[], files);
        text.gauge("catamaran_verify_round_bytes", "Their bytes.").sample(&[], bytes);
        let running = u8::from(figures.is_running);
        text.gauge("catamaran_verify_round_running", "Whether it has not ended yet.").sample(&[], running);
    }
}

//! What systemd is told, when it is what started the program: ready, reloading, going down, and still alive. Without it nothing is said.

use sd_notify::NotifyState;

/// Connections are accepted, or a reload is over.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read anew.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no time for systemd"),
    }
}

/// Transfers are let finish.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says over and over that the program lives, for as long as its tasks get their turn. Never ends.
pub(super) async fn live() {
    let Some(deadline) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut turns = tokio::time::interval(deadline / 2);
    loop {
        turns.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd does not hear of the server's state");
    }
}

//! One table that turns errors into what clients are told. Internals are logged here, once, and not
//! sent.

use std::error::Error;

use wire::fault::Detail;
use wire::path::PathError;
use wire::staging::StagingError;
use wire::transfer::Violation;
use wire::{Code, Fault};

use crate::catalog::CatalogError;
use crate::password::PasswordError;
use crate::recovery::RecoveryError;
use crate::vault::VaultError;

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        let (code, detail) = match &error {
            VaultError::NotFound => (Code::NotFound, Detail::None),
            VaultError::Exists(None) => (Code::Exists, Detail::None),
            VaultError::Exists(Some(found)) => {
                (Code::Exists, Detail::Existing { size: found.size, mtime: found.mtime, root: None })
            }
            VaultError::NotDirectory => (Code::NotDirectory, Detail::None),
            VaultError::IsDirectory => (Code::IsDirectory, Detail::None),
            VaultError::NotEmpty => (Code::NotEmpty, Detail::None),
            VaultError::Denied => (Code::Denied, Detail::None),
            VaultError::BadTarget(_) => (Code::BadPath, Detail::None),
            VaultError::NoSpace | VaultError::TooLarge => (Code::NoSpace, Detail::None),
            VaultError::Changed => (Code::Changed, Detail::None),
            VaultError::Cancelled => (Code::Cancelled, Detail::None),
            VaultError::Busy => (Code::Busy, Detail::None),
            VaultError::Io(source) => {
                tracing::error!(error = %source, "the disk failed");
                (Code::Io, Detail::None)
            }
        };
        Fault::new(code, error.to_string()).with(detail)
    }
}

impl From<CatalogError> for Fault {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::OverQuota { shortfall } => {
                Fault::new(Code::Quota, format!("over quota: {} more than is free", wire::size::show(shortfall)))
                    .with(Detail::Shortfall(shortfall))
            }
            CatalogError::OverFiles { shortfall } => {
                Fault::new(Code::FileQuota, format!("the account may not hold {shortfall} more files"))
                    .with(Detail::Shortfall(shortfall))
            }
            CatalogError::TooLarge => Fault::new(Code::Quota, error.to_string()),
            CatalogError::UserGone | CatalogError::Locked => Fault::new(Code::Login, "the account is no longer open"),
            CatalogError::NoSpace => VaultError::NoSpace.into(),
            CatalogError::Busy => {
                tracing::warn!(%error, "a request is asked to come back");
                Fault::new(Code::Busy, "the server's records are in use by another program; try again in a moment")
            }
            CatalogError::Disk(source) => VaultError::Io(std::io::Error::other(source)).into(),
            other => {
                tracing::error!(error = &other as &dyn Error, "the catalog failed");
                Fault::new(Code::Internal, "the server could not keep its records; its log has more")
            }
        }
    }
}

impl From<PasswordError> for Fault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy { retry_seconds } => {
                Fault::new(Code::Busy, error.to_string()).with(Detail::RetryAfter(retry_seconds))
            }
            other => {
                tracing::error!(error = &other as &dyn Error, "a password could not be checked");
                Fault::new(Code::Internal, "the server could not check the password; its log has more")
            }
        }
    }
}

impl From<RecoveryError> for Fault {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Catalog(error) => error.into(),
            RecoveryError::Home { source, .. } => source.into(),
            RecoveryError::Lost(error) => lost_task(&error),
        }
    }
}

/// A path that is none.
pub(crate) fn bad_path(error: &PathError) -> Fault {
    Fault::new(Code::BadPath, error.to_string())
}

/// Content that does not fit its hashes, or a disk that does not take it.
pub(crate) fn bad_content(error: StagingError) -> Fault {
    match error {
        StagingError::Io(error) => VaultError::from(error).into(),
        StagingError::Violation(violation) => bad_transfer(&violation),
    }
}

/// A stored file whose bytes are not those it was stored with.
pub(crate) fn damaged() -> Fault {
    Fault::new(
        Code::Damaged,
        "the server's copy is damaged: its bytes are no longer those that were stored; store a good copy in its place, or \
        tell whoever runs the server",
    )
}

/// What is asked for while the server goes down.
pub(crate) fn going_down() -> Fault {
    Fault::new(Code::Draining, "the server is going down; try again in a moment")
}

/// A transfer that breaks its rules.
pub(crate) fn bad_transfer(violation: &Violation) -> Fault {
    let code = match violation {
        Violation::Damaged { .. } | Violation::WrongRoot => Code::Damaged,
        _ => Code::Protocol,
    };
    Fault::new(code, violation.to_string())
}

/// A blocking task that did not come back: it panicked, or the runtime is going down.
pub(crate) fn lost_task(error: &tokio::task::JoinError) -> Fault {
    tracing::error!(%error, "a task was lost");
    Fault::new(Code::Internal, "the server lost this request; its log has more")
}

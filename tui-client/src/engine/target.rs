//! `USER@HOST[:PORT]`, parsed once.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::ServerName;
use wire::{DEFAULT_PORT, UserName};

/// An account at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The account.
    pub user: UserName,
    /// A name or an address, without brackets.
    pub host: String,
    /// Of the server.
    pub port: u16,
}

/// Why a text is not a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No `@`.
    #[error("write USER@HOST or USER@HOST:PORT, as in ada@harbour.example:7122")]
    Shape,
    /// Before the `@`.
    #[error(transparent)]
    User(#[from] wire::path::UserNameError),
    /// After it.
    #[error(
        "`{0}` is not a host name or an address (an IPv6 address with a port stands in brackets, as in [::1]:7122)"
    )]
    Host(String),
    /// After the last colon.
    #[error("`{0}` is not a port: 1 to 65535")]
    Port(String),
}

impl Target {
    /// `host:port`, with brackets where they are needed: the name under which a server is known.
    pub fn server(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// `user@host:port`: whose queue and history it is.
    pub fn account(&self) -> String {
        format!("{}@{}", self.user, self.server())
    }

    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, TargetError> {
        ServerName::try_from(self.host.clone()).map_err(|_| TargetError::Host(shown(&self.host)))
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (user, place) = text.rsplit_once('@').ok_or(TargetError::Shape)?;
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| TargetError::Host(shown(place)))?;
                let port = match after.strip_prefix(':') {
                    None if after.is_empty() => None,
                    Some(port) => Some(port),
                    None => return Err(TargetError::Host(shown(place))),
                };
                (host, port)
            }
            None => match place.split_once(':') {
                // More than one colon: a bare IPv6 address.
                Some((_, rest)) if rest.contains(':') => (place, None),
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            None => DEFAULT_PORT,
            Some(text) => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| TargetError::Port(shown(text)))?,
        };
        let target = Self { user: user.parse()?, host: host.to_owned(), port };
        target.server_name()?;
        Ok(target)
    }
}

/// `ada@harbour`, with the port where it is not the usual one.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.port == DEFAULT_PORT {
            return write!(f, "{}@{}", self.user, self.host);
        }
        write!(f, "{}@{}", self.user, self.server())
    }
}

fn shown(text: &str) -> String {
    wire::path::escape(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_parse_or_say_why() {
        let ok = [
            ("ada@harbour", "ada", "harbour", DEFAULT_PORT, "ada@harbour"),
            ("ada@harbour:99", "ada", "harbour", 99, "ada@harbour:99"),
            ("ada@127.0.0.1:7122", "ada", "127.0.0.1", 7122, "ada@127.0.0.1"),
            ("ada@[::1]:80", "ada", "::1", 80, "ada@[::1]:80"),
            ("ada@[::1]", "ada", "::1", DEFAULT_PORT, "ada@::1"),
            ("ada@fe80::2", "ada", "fe80::2", DEFAULT_PORT, "ada@fe80::2"),
        ];
        for (text, user, host, port, shown) in ok {
            let target: Target = text.parse().expect(text);
            assert_eq!((target.user.as_str(), target.host.as_str(), target.port), (user, host, port), "{text}");
            assert_eq!(target.to_string(), shown);
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@harbour",
            "Ada@harbour",
            "ada@h:0",
            "ada@h:x",
            "ada@h:70000",
            "ada@[::1",
            "ada@[::1]x",
            "ada@a b",
        ] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}

//! Who a server is: its key's fingerprint, the servers known from earlier, and the TLS verifier that
//! decides before anything is sent. Knows no user and no password.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::{Deserialize, Serialize};

/// The BLAKE3 of a server's public key (SubjectPublicKeyInfo, DER), written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, as `catamaran-server --fingerprint` prints it")]
pub struct FingerprintError;

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        Ok(Self(*blake3::hash(key.as_ref()).as_bytes()))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        blake3::Hash::from_hex(digits.to_ascii_lowercase())
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What to do with a server that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Refuse with [`super::ConnectError::UnknownServer`], so that a person can be asked.
    Ask,
    /// Trust it and remember it.
    New,
    /// Trust exactly this key, and remember it in place of any other.
    Fingerprint(Fingerprint),
}

/// How a connection decides whether it talks to the right server.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The servers met before.
    pub known: KnownServers,
    /// What to do with others.
    pub accept: Accept,
}

/// The file of servers met before. It is read for every connection, so that several programs share it.
#[derive(Clone, Debug)]
pub struct KnownServers {
    file: PathBuf,
}

/// A server met before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownServer {
    /// Its key.
    #[serde(with = "as_text")]
    pub fingerprint: Fingerprint,
    /// When it was first trusted, RFC 3339.
    pub first_seen: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    servers: BTreeMap<String, KnownServer>,
}

/// Why the known servers cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KnownServersError {
    /// The disk.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its content.
    #[error("{} cannot be understood; correct it or move it away: {source}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Never seen: the document is of plain types.
    #[error("the known servers cannot be written: {0}")]
    Encode(#[from] toml::ser::Error),
}

impl KnownServers {
    /// Those of `file`, which need not exist yet.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// The file, to be named in messages.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is known of `server`, as `host:port`.
    pub fn find(&self, server: &str) -> Result<Option<KnownServer>, KnownServersError> {
        Ok(self.read()?.servers.remove(server))
    }

    /// Remembers `server`, in place of what was known of it.
    pub fn remember(&self, server: &str, fingerprint: Fingerprint) -> Result<(), KnownServersError> {
        let mut document = self.read()?;
        if document.servers.get(server).is_some_and(|known| known.fingerprint == fingerprint) {
            return Ok(());
        }
        let first_seen = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string();
        document.servers.insert(server.to_owned(), KnownServer { fingerprint, first_seen });
        let text = toml::to_string(&document)?;
        self.write(&text).map_err(|source| KnownServersError::Io { file: self.file.clone(), source })
    }

    fn read(&self) -> Result<Document, KnownServersError> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => {
                toml::from_str(&text).map_err(|source| KnownServersError::Syntax { file: self.file.clone(), source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Document::default()),
            Err(source) => Err(KnownServersError::Io { file: self.file.clone(), source }),
        }
    }

    /// Beside, then over: a crash leaves the old file or the new one.
    fn write(&self, text: &str) -> io::Result<()> {
        if let Some(dir) = self.file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let beside = self.file.with_extension(format!("new-{}", std::process::id()));
        std::fs::write(&beside, text)?;
        std::fs::File::open(&beside)?.sync_all()?;
        std::fs::rename(&beside, &self.file)
    }
}

/// Decides about a server's certificate during the handshake, and remembers why.
#[derive(Debug)]
pub(crate) struct Judge {
    known: Option<Fingerprint>,
    accept: Accept,
    /// The system's roots, if there are any.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    verdict: OnceLock<Verdict>,
}

/// What the judge found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The pinned key.
    Known(Fingerprint),
    /// A certificate that the system's roots verify.
    Authority(Fingerprint),
    /// A key to be remembered from now on.
    New(Fingerprint),
    /// Refused: nobody has vouched for it.
    Unknown(Fingerprint),
    /// Refused: another key than the one expected.
    Other(Fingerprint),
}

impl Judge {
    pub(crate) fn new(
        known: Option<Fingerprint>,
        accept: Accept,
        authorities: Option<Arc<WebPkiServerVerifier>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { known, accept, authorities, provider, verdict: OnceLock::new() }
    }

    /// What was found, once a handshake has come to the certificate.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.verdict.get().copied()
    }

    fn judge(&self, presented: Fingerprint, vouched: impl FnOnce() -> bool) -> Verdict {
        match (self.accept, self.known) {
            (Accept::Fingerprint(wanted), _) if wanted == presented => Verdict::New(presented),
            (Accept::Fingerprint(_), _) => Verdict::Other(presented),
            (_, Some(known)) if known == presented => Verdict::Known(presented),
            _ if vouched() => Verdict::Authority(presented),
            (_, Some(_)) => Verdict::Other(presented),
            (Accept::New, None) => Verdict::New(presented),
            (Accept::Ask, None) => Verdict::Unknown(presented),
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Fingerprint::of(end_entity)?;
        let verdict = self.judge(presented, || {
            self.authorities.as_ref().is_some_and(|authorities| {
                authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).is_ok()
            })
        });
        match *self.verdict.get_or_init(|| verdict) {
            Verdict::Known(key) | Verdict::Authority(key) | Verdict::New(key) if key == presented => {
                Ok(ServerCertVerified::assertion())
            }
            _ => Err(rustls::Error::General("the server's key is not trusted".into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A verifier by the system's roots; `None` where there are none.
pub(crate) fn authorities(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok()
}

mod as_text {
    use super::Fingerprint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(fingerprint: &Fingerprint, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(fingerprint)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fingerprint, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_remembered() {
        let dir = tempfile::tempdir().expect("a directory");
        let known = KnownServers::at(dir.path().join("state/known_servers.toml"));
        let (one, two) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        assert_eq!(known.find("harbour:7122").expect("read"), None);
        known.remember("harbour:7122", one).expect("written");
        known.remember("[::1]:7122", two).expect("written");
        let first = known.find("harbour:7122").expect("read").expect("known");
        assert_eq!(first.fingerprint, one);
        assert!(first.first_seen.parse::<jiff::Timestamp>().is_ok(), "{}", first.first_seen);
        known.remember("harbour:7122", two).expect("replaced");
        assert_eq!(known.find("harbour:7122").expect("read").map(|known| known.fingerprint), Some(two));
        std::fs::write(known.file(), "servers = 3").expect("written");
        let error = known.find("harbour:7122").expect_err("not understood").to_string();
        assert!(error.contains("known_servers.toml"), "{error}");
    }

    #[test]
    fn fingerprints_read_as_they_are_written() {
        let key = Fingerprint([0xab; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!("AB:".repeat(32).parse(), Ok(key));
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(65)] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError));
        }
    }

    #[test]
    fn every_way_to_be_trusted() {
        let (one, two) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        // What is known; what to accept; whether an authority vouches; the verdict on `two`.
        let table = [
            (None, Accept::Ask, false, Verdict::Unknown(two)),
            (None, Accept::New, false, Verdict::New(two)),
            (None, Accept::Ask, true, Verdict::Authority(two)),
            (Some(two), Accept::Ask, false, Verdict::Known(two)),
            (Some(one), Accept::Ask, false, Verdict::Other(two)),
            (Some(one), Accept::New, false, Verdict::Other(two)),
            (Some(one), Accept::New, true, Verdict::Authority(two)),
            (Some(one), Accept::Fingerprint(two), false, Verdict::New(two)),
            (Some(two), Accept::Fingerprint(one), true, Verdict::Other(two)),
        ];
        for (known, accept, vouched, expected) in table {
            let judge = Judge::new(known, accept, None, provider.clone());
            assert_eq!(judge.judge(two, || vouched), expected, "{known:?} {accept:?} {vouched}");
        }
    }
}

//! Who the server is: its key and certificate, their fingerprint, and TLS built on them. Made on
//! first use, or the operator's.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;

use crate::config::Config;
use crate::datadir::{DataDir, sync_directory_of};

/// What client and server agree on in the TLS handshake, so that nothing else is talked to.
pub const ALPN: &[u8] = b"catamaran/1";

/// A key and the certificates that go with it.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    fingerprint: String,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file of it cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds no PEM of the right kind.
    #[error("{} does not hold {expected} in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// Why not.
        source: pem::Error,
    },
    /// Key and certificate are no use, or not of each other.
    #[error("the key and certificate cannot be used")]
    Unfit(#[from] rustls::Error),
    /// A key could not be made.
    #[error("cannot make a key")]
    Make(#[from] rcgen::Error),
}

impl Identity {
    /// The operator's where the configuration names it; else the server's own, made on first use.
    pub fn open(config: &Config, dir: &DataDir) -> Result<Self, IdentityError> {
        if let (Some(certificate), Some(key)) = (&config.certificate, &config.key) {
            return Self::read(certificate, key);
        }
        let own = dir.identity();
        if !own.try_exists().map_err(|source| IdentityError::Io { path: own.clone(), source })? {
            make(&own)?;
        }
        Self::read(&own.join(CERTIFICATE), &own.join(KEY))
    }

    /// Reads a chain, the server's own certificate first, and its key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| pem_error(certificate, "certificates", error))?;
        let Some(own) = chain.first() else {
            return Err(pem_error(certificate, "certificates", pem::Error::NoItemsFound));
        };
        let fingerprint = fingerprint(own)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| pem_error(key, "a private key", error))?;
        Ok(Self { chain, key, fingerprint })
    }

    /// What clients pin: BLAKE3 of the certificate's public key, as 64 hexadecimal digits. A renewed
    /// certificate of the same key keeps it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// TLS 1.3 with this identity.
    pub fn tls(&self) -> Result<Arc<ServerConfig>, IdentityError> {
        let provider = CryptoProvider {
            // AES-128 first: the fastest where the processor knows AES, and nothing here outlives it.
            cipher_suites: vec![
                aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
                aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
                aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            ],
            ..aws_lc_rs::default_provider()
        };
        let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        tls.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(tls))
    }
}

/// BLAKE3 of a certificate's `SubjectPublicKeyInfo`, in hexadecimal.
fn fingerprint(certificate: &CertificateDer<'_>) -> Result<String, rustls::Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(blake3::hash(parsed.subject_public_key_info().as_ref()).to_hex().to_string())
}

fn pem_error(path: &Path, expected: &'static str, source: pem::Error) -> IdentityError {
    let path = path.to_owned();
    match source {
        pem::Error::Io(source) => IdentityError::Io { path, source },
        source => IdentityError::Pem { path, expected, source },
    }
}

/// Makes key and certificate beside their place, and gives them their name when both are on disk:
/// there is never half an identity, and who makes one at the same time may be faster.
fn make(own: &Path) -> Result<(), IdentityError> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = rcgen::CertificateParams::new(vec!["catamaran".to_owned()])?;
    params.not_before = rcgen::date_time_ymd(1975, 1, 1);
    // Clients trust the key they pinned; an end would only break them one day.
    params.not_after = rcgen::date_time_ymd(4096, 1, 1);
    let certificate = params.self_signed(&key)?;
    place(own, &key.serialize_pem(), &certificate.pem())
        .map_err(|source| IdentityError::Io { path: own.to_owned(), source })
}

fn place(own: &Path, key: &str, certificate: &str) -> io::Result<()> {
    let new = own.with_extension(format!("{:016x}", getrandom::u64()?));
    DirBuilder::new().mode(0o700).create(&new)?;
    write(&new.join(KEY), key)?;
    write(&new.join(CERTIFICATE), certificate)?;
    File::open(&new)?.sync_all()?;
    match fs::rename(&new, own) {
        Err(_) if own.join(CERTIFICATE).try_exists()? => fs::remove_dir_all(&new),
        renamed => renamed.and_then(|()| sync_directory_of(own)),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

const KEY: &str = "key.pem";
const CERTIFICATE: &str = "cert.pem";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    use rcgen::PublicKeyData;

    #[test]
    fn made_once_and_kept() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(temp.path()).expect("opened");
        let prints: Vec<String> = std::thread::scope(|scope| {
            let open = || Identity::open(&Config::default(), &dir).expect("opened").fingerprint().to_owned();
            let opening: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            opening.into_iter().map(|thread| thread.join().expect("ran")).collect()
        });
        assert_eq!(prints[0].len(), 64);
        assert!(prints.iter().all(|print| *print == prints[0]), "{prints:?}");
        let left: Vec<_> =
            temp.path().read_dir().expect("read").map(|entry| entry.expect("read").file_name()).collect();
        assert_eq!(left, ["identity"]);
        let key = dir.identity().join(KEY);
        assert_eq!(key.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
        Identity::open(&Config::default(), &dir).expect("opened").tls().expect("of each other");
    }

    #[test]
    fn an_operators_files_are_used_or_refused_with_their_names() {
        let temp = tempfile::tempdir().expect("a directory");
        let (certificate, key) = (temp.path().join("c.pem"), temp.path().join("k.pem"));
        let made = rcgen::KeyPair::generate().expect("a key");
        let signed = rcgen::CertificateParams::new(vec!["files.example".into()]).expect("params").self_signed(&made);
        fs::write(&certificate, signed.expect("signed").pem()).expect("written");
        fs::write(&key, made.serialize_pem()).expect("written");
        let config = Config { certificate: Some(certificate.clone()), key: Some(key.clone()), ..Config::default() };
        let dir = DataDir::open(&temp.path().join("data")).expect("opened");
        let identity = Identity::open(&config, &dir).expect("read");
        identity.tls().expect("of each other");
        assert!(!dir.identity().exists());
        let public = blake3::hash(&made.subject_public_key_info());
        assert_eq!(identity.fingerprint(), public.to_hex().as_str());

        fs::write(&key, rcgen::KeyPair::generate().expect("a key").serialize_pem()).expect("written");
        let other = Identity::open(&config, &dir).expect("read").tls();
        assert!(matches!(other, Err(IdentityError::Unfit(_))), "a key of another certificate");
        fs::write(&certificate, "nothing").expect("written");
        assert!(matches!(Identity::open(&config, &dir), Err(IdentityError::Pem { path, .. }) if path == certificate));
        fs::remove_file(&certificate).expect("removed");
        assert!(matches!(Identity::open(&config, &dir), Err(IdentityError::Io { path, .. }) if path == certificate));
    }
}

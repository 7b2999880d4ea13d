//! From nothing to a connection that is logged in: TCP, TLS with the judge, greetings. Also joins
//! lanes and rejoins sessions. Knows no requests and no transfers.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::io::{BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wire::frame::Stage;
use wire::link::{LinkError, Reader, Writer};
use wire::message::{BINDING_LABEL, Binding, FromGuest, KEY_LOGIN, Ticket, ToGuest, Usage, VERSIONS};
use wire::{Code, Fault};

use super::Credentials;
use super::identity::{self, Accept, Fingerprint, Judge, KnownServers, KnownServersError, Trust, Verdict};
use super::keyring::Keyring;
use super::limit::{Limits, Throttled};
use super::target::Target;

type Stream = Throttled<TlsStream<BufReader<TcpStream>>>;
pub(crate) type LinkReader = Reader<ReadHalf<Stream>>;
pub(crate) type LinkWriter = Writer<WriteHalf<Stream>>;

/// Why there is no session. Each prints one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody has vouched for this server yet.
    #[error(
        "{server} is not known yet; its key is {fingerprint}. Compare it with `catamaran-server --fingerprint` \
         on that machine, then connect with --fingerprint {fingerprint} (or --accept-new)"
    )]
    UnknownServer {
        /// `host:port`.
        server: String,
        /// The key it presented.
        fingerprint: Fingerprint,
    },
    /// A server met before has another key now.
    #[error(
        "{server} has ANOTHER KEY than before, and nothing was sent. Known since {known_since}: {known}. Presented now: \
         {presented}. If its operator confirms the new key, connect once with --fingerprint {presented}, or remove the \
         server from {}", file.display()
    )]
    ChangedServer {
        /// `host:port`.
        server: String,
        /// When the known key was first trusted, RFC 3339.
        known_since: Box<str>,
        /// The key it had.
        known: Fingerprint,
        /// The key it has.
        presented: Fingerprint,
        /// Where the known key is kept.
        file: Box<Path>,
    },
    /// Another key than the one that was demanded.
    #[error("{server} has the key {presented}, not {wanted}; nothing was sent")]
    OtherFingerprint {
        /// `host:port`.
        server: String,
        /// What was demanded.
        wanted: Fingerprint,
        /// The key it has.
        presented: Fingerprint,
    },
    /// The server did not accept user and password or keys, or looks at none for a while.
    #[error("{0}")]
    Login(Fault),
    /// The server refuses for another reason.
    #[error("{server} refuses: {fault}")]
    Refused {
        /// `host:port`.
        server: String,
        /// Why.
        fault: Fault,
    },
    /// No connection.
    #[error("{server} cannot be reached ({source}); check the name, the port, and that the server runs")]
    Unreachable {
        /// `host:port`.
        server: String,
        /// Why.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{server} did not answer within {} seconds; check the name, the port and the network", TIMEOUT.as_secs())]
    Timeout {
        /// `host:port`.
        server: String,
    },
    /// Something answers that is no Catamaran server.
    #[error("{server} answers, but not as a Catamaran server ({reason}); check the port")]
    NotCatamaran {
        /// `host:port`.
        server: String,
        /// What it did.
        reason: String,
    },
    /// The list of known servers.
    #[error(transparent)]
    Known(#[from] KnownServersError),
    /// The host part is not a name.
    #[error(transparent)]
    Target(#[from] super::target::TargetError),
}

impl ConnectError {
    /// Whether trying again later can help without anybody's decision.
    pub(crate) fn heals(&self) -> bool {
        match self {
            ConnectError::Unreachable { .. } | ConnectError::Timeout { .. } | ConnectError::NotCatamaran { .. } => true,
            _ => self.fault().is_some_and(|fault| fault.code.heals()),
        }
    }

    /// How long the server asks to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.fault().and_then(Fault::retry_after).map(|wait| wait.min(LONGEST_WAIT))
    }

    /// Why, for those who tell themselves when the next try is.
    pub(crate) fn reason(&self) -> String {
        self.fault().map_or_else(|| self.to_string(), |fault| fault.message.clone())
    }

    fn fault(&self) -> Option<&Fault> {
        match self {
            ConnectError::Login(fault) | ConnectError::Refused { fault, .. } => Some(fault),
            _ => None,
        }
    }
}

/// What a new session begins with.
#[derive(Debug)]
pub(crate) struct Welcome {
    pub(crate) reader: LinkReader,
    pub(crate) writer: LinkWriter,
    pub(crate) ticket: Ticket,
    pub(crate) lanes: u16,
    pub(crate) usage: Usage,
}

/// Makes connections to one server, each judged like the first.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    target: Target,
    known: KnownServers,
    accept: Accept,
    provider: Arc<CryptoProvider>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
}

impl Dialer {
    /// Reads the system's roots: blocks for some milliseconds.
    pub(crate) fn new(target: Target, trust: Trust) -> Self {
        let provider = Arc::new(provider());
        let authorities = identity::authorities(&provider);
        Self { target, known: trust.known, accept: trust.accept, provider, authorities }
    }

    /// `host:port`.
    pub(crate) fn server(&self) -> String {
        self.target.server()
    }

    /// A first login, or another one: by keys, and by password where they are refused or there are none. Keys that were
    /// refused are left out from then on.
    pub(crate) async fn login(&self, credentials: &mut Credentials) -> Result<Welcome, ConnectError> {
        if let Some(keys) = &credentials.keys {
            match self.in_time(self.prove(keys)).await {
                Err(ConnectError::Login(fault)) if fault.code == Code::Login && credentials.password.is_some() => {
                    credentials.keys = None;
                }
                other => return other,
            }
        }
        let Some(password) = credentials.password.clone() else {
            return Err(no_login("neither a key nor a password to log in with"));
        };
        let login = FromGuest::Login { user: self.target.user.as_str().to_owned(), password };
        self.in_time(self.open_session(login)).await
    }

    /// Takes up a session by its ticket.
    pub(crate) async fn rejoin(&self, ticket: Ticket) -> Result<Welcome, ConnectError> {
        self.in_time(self.open_session(FromGuest::Rejoin(ticket))).await
    }

    /// A lane of a session, under `limits`, its bytes counted in `flow`. It may be written to at once; before
    /// it is read, [`Self::joined`] hears whether the server takes it.
    pub(crate) async fn join(
        &self,
        ticket: Ticket,
        limits: Limits,
        flow: Arc<AtomicU64>,
    ) -> Result<(LinkReader, LinkWriter), ConnectError> {
        self.in_time(self.greet(FromGuest::Join(ticket), limits, flow)).await
    }

    /// Hears what became of [`Self::join`].
    pub(crate) async fn joined(&self, reader: &mut LinkReader) -> Result<(), ConnectError> {
        match self.in_time(self.greeted(reader)).await? {
            ToGuest::Joined => {
                reader.enter(Stage::Lane);
                Ok(())
            }
            other => Err(self.refusal(other)),
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
        match tokio::time::timeout(TIMEOUT, work).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::Timeout { server: self.server() }),
        }
    }

    async fn open_session(&self, first: FromGuest) -> Result<Welcome, ConnectError> {
        let (mut reader, writer) = self.greet(first, Limits::new(Arc::default()), Arc::default()).await?;
        let answer = self.greeted(&mut reader).await?;
        self.welcome(answer, reader, writer)
    }

    /// Proves keys in answer to the server's challenge, which it sends with its hello if it takes keys.
    async fn prove(&self, keys: &Keyring) -> Result<Welcome, ConnectError> {
        let stream = self.dial().await?;
        let binding = stream.get_ref().1.export_keying_material([0; 32], BINDING_LABEL, None).map(Binding);
        let binding = binding.map_err(|error| self.not_catamaran(error.to_string()))?;
        let (mut reader, mut writer) = link(Throttled::new(stream, Limits::new(Arc::default()), Arc::default()));
        writer.send(&hello(KEY_LOGIN)).await.map_err(|error| self.broken(error))?;
        match self.answer(&mut reader).await? {
            ToGuest::Hello { capabilities, .. } if capabilities & KEY_LOGIN != 0 => {}
            ToGuest::Hello { .. } => return Err(no_login("this server is too old for keys; log in by password")),
            other => return Err(self.refusal(other)),
        }
        let challenge = match self.answer(&mut reader).await? {
            ToGuest::Challenge(challenge) => challenge,
            other => return Err(self.refusal(other)),
        };
        let user = self.target.user.as_str();
        let proofs = keys.prove(&challenge.statement(&binding, user)).await;
        if proofs.is_empty() {
            return Err(no_login("none of the keys could sign; is the agent still there?"));
        }
        let prove = FromGuest::Prove { user: user.to_owned(), proofs };
        writer.send(&prove).await.map_err(|error| self.broken(error))?;
        let answer = self.answer(&mut reader).await?;
        self.welcome(answer, reader, writer)
    }

    fn welcome(&self, answer: ToGuest, mut reader: LinkReader, writer: LinkWriter) -> Result<Welcome, ConnectError> {
        match answer {
            ToGuest::Welcome { ticket, lanes, usage } => {
                reader.enter(Stage::Control);
                Ok(Welcome { reader, writer, ticket, lanes, usage })
            }
            other => Err(self.refusal(other)),
        }
    }

    /// Says hello and `first` in one go, for what a guest says is the same in all versions: a round trip
    /// less. A server that speaks no common version refuses the one and does not hear the other.
    async fn greet(
        &self,
        first: FromGuest,
        limits: Limits,
        flow: Arc<AtomicU64>,
    ) -> Result<(LinkReader, LinkWriter), ConnectError> {
        let (reader, mut writer) = link(Throttled::new(self.dial().await?, limits, flow));
        writer.feed(&hello(0)).await.map_err(|error| self.broken(error))?;
        writer.send(&first).await.map_err(|error| self.broken(error))?;
        Ok((reader, writer))
    }

    /// The server's hello, and its answer to what was said with ours.
    async fn greeted(&self, reader: &mut LinkReader) -> Result<ToGuest, ConnectError> {
        match self.answer(reader).await? {
            ToGuest::Hello { .. } => self.answer(reader).await,
            other => Err(self.refusal(other)),
        }
    }

    async fn answer(&self, reader: &mut LinkReader) -> Result<ToGuest, ConnectError> {
        match reader.message().await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(self.broken(LinkError::Closed)),
            Err(error) => Err(self.broken(error)),
        }
    }

    async fn dial(&self) -> Result<TlsStream<BufReader<TcpStream>>, ConnectError> {
        let server = self.server();
        let unreachable = |source| ConnectError::Unreachable { server: server.clone(), source };
        let tcp = TcpStream::connect((self.target.host.as_str(), self.target.port)).await.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let known = self.known.find(&server)?;
        let judge = Arc::new(Judge::new(
            known.as_ref().map(|known| known.fingerprint),
            self.accept,
            self.authorities.clone(),
            self.provider.clone(),
        ));
        let connector = TlsConnector::from(Arc::new(self.tls(judge.clone())?));
        let tcp = BufReader::with_capacity(READ_AHEAD, tcp);
        let connected = connector.connect(self.target.server_name()?, tcp).await;
        match (connected, judge.verdict()) {
            (Ok(stream), Some(Verdict::New(fingerprint))) => {
                self.known.remember(&server, fingerprint)?;
                Ok(stream)
            }
            (Ok(stream), _) => Ok(stream),
            (Err(_), Some(Verdict::Unknown(fingerprint))) => Err(ConnectError::UnknownServer { server, fingerprint }),
            (Err(_), Some(Verdict::Other(presented))) => Err(match (self.accept, known) {
                (Accept::Fingerprint(wanted), _) => ConnectError::OtherFingerprint { server, wanted, presented },
                (_, Some(known)) => ConnectError::ChangedServer {
                    server,
                    known_since: known.first_seen.into(),
                    known: known.fingerprint,
                    presented,
                    file: self.known.file().into(),
                },
                (_, None) => ConnectError::UnknownServer { server, fingerprint: presented },
            }),
            (Err(error), _) => Err(ConnectError::NotCatamaran { server, reason: error.to_string() }),
        }
    }

    fn tls(&self, judge: Arc<Judge>) -> Result<ClientConfig, ConnectError> {
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| self.not_catamaran(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(judge)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(config)
    }

    fn refusal(&self, answer: ToGuest) -> ConnectError {
        match answer {
            ToGuest::Refused(fault) if matches!(fault.code, Code::Login | Code::Throttled) => {
                ConnectError::Login(fault)
            }
            ToGuest::Refused(fault) => ConnectError::Refused { server: self.server(), fault },
            _ => self.not_catamaran("an answer out of order".to_owned()),
        }
    }

    fn broken(&self, error: LinkError) -> ConnectError {
        self.not_catamaran(error.to_string())
    }

    fn not_catamaran(&self, reason: String) -> ConnectError {
        ConnectError::NotCatamaran { server: self.server(), reason }
    }
}

fn link(stream: Stream) -> (LinkReader, LinkWriter) {
    let (reader, writer) = tokio::io::split(stream);
    (Reader::new(reader, Stage::Guest), Writer::new(writer))
}

fn hello(capabilities: u64) -> FromGuest {
    FromGuest::Hello { versions: VERSIONS, capabilities, agent: AGENT.to_owned() }
}

/// Why there is nothing to be said to the server.
fn no_login(why: &str) -> ConnectError {
    ConnectError::Login(Fault::new(Code::Login, why))
}

/// AES-128-GCM first: measured four times ChaCha20 where the processor has AES.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| *suite != aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256);
    provider
}

const ALPN: &[u8] = b"catamaran/1";
const AGENT: &str = concat!("catamaran/", env!("CARGO_PKG_VERSION"));
/// For the whole way from a name to a session.
const TIMEOUT: Duration = Duration::from_secs(10);
/// However long a server asks to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Below TLS: reads of 16 KiB from the socket halve the throughput.
const READ_AHEAD: usize = 256 << 10;

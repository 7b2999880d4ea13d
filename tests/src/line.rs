//! A connection that can say anything at any stage: bytes before TLS, frames that lie, messages out of
//! order. It believes every certificate and keeps no rules; what it hears it reads as a client does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, KeyLog, NoKeyLog, SignatureScheme};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wire::encoding::encode;
use wire::frame::Stage;
use wire::link::{Incoming, LinkError, Reader};
use wire::message::{BINDING_LABEL, Binding};
use wire::{Aligned, Cv};

/// How long anything may take before a test gives up on it. Far above what it should take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The protocol's name in the handshake.
pub const ALPN: &[u8] = b"catamaran/1";

/// One TLS connection.
#[derive(Debug)]
pub struct Line {
    /// What both ends know of this connection alone.
    pub binding: Binding,
    reader: Reader<ReadHalf<TlsStream<TcpStream>>>,
    stream: WriteHalf<TlsStream<TcpStream>>,
}

/// What a line heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<T> {
    /// A message.
    Message(T),
    /// A block, with its place and its bytes.
    Block {
        /// The transfer it belongs to.
        transfer: u64,
        /// Its place.
        index: u64,
        /// Its value, as claimed.
        cv: Cv,
        /// Its bytes.
        payload: Vec<u8>,
    },
}

impl Line {
    /// Connects and shakes hands; says nothing yet.
    pub async fn open(server: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(server).await?).await
    }

    /// The same from another address of this machine: on Linux all of 127.0.0.0/8 are.
    pub async fn open_from(from: Ipv4Addr, server: SocketAddr) -> Result<Self> {
        Self::over(connect_from(from, server).await?).await
    }

    /// The same, telling the keys of the connection.
    pub async fn open_telling(server: SocketAddr, keys: Arc<dyn KeyLog>) -> Result<Self> {
        Self::shake_hands(TcpStream::connect(server).await?, keys).await
    }

    /// Shakes hands on a connection that is there.
    pub async fn over(stream: TcpStream) -> Result<Self> {
        Self::shake_hands(stream, Arc::new(NoKeyLog)).await
    }

    async fn shake_hands(stream: TcpStream, keys: Arc<dyn KeyLog>) -> Result<Self> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(BelieveAll));
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.key_log = keys;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, stream)).await??;
        let binding = stream.get_ref().1.export_keying_material([0; 32], BINDING_LABEL, None).map(Binding)?;
        let (reading, writing) = tokio::io::split(stream);
        Ok(Self { binding, reader: Reader::new(reading, Stage::Guest), stream: writing })
    }

    /// Sends bytes as they are.
    pub async fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        timeout(PATIENCE, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await??;
        Ok(())
    }

    /// Sends a message in its frame.
    pub async fn say(&mut self, message: &impl Serialize) -> Result<()> {
        self.raw(&frame(1, &encode(message)?)).await
    }

    /// Sends a block in its frame, whatever its value.
    pub async fn block(&mut self, transfer: u64, index: u64, cv: Cv, payload: &[u8]) -> Result<()> {
        let body = [&transfer.to_le_bytes(), &index.to_le_bytes(), cv.0.as_slice(), payload].concat();
        self.raw(&frame(2, &body)).await
    }

    /// What the other side says next; `None` when it has closed the connection, cleanly or not.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> Result<Option<Heard<T>>> {
        timeout(PATIENCE, self.listen()).await.context("the other side says nothing")?
    }

    /// The next message, where nothing else is right.
    pub async fn message<T: DeserializeOwned>(&mut self) -> Result<T> {
        match self.hear().await?.context("the connection was closed where a message was due")? {
            Heard::Message(message) => Ok(message),
            Heard::Block { index, .. } => bail!("block {index} where a message was due"),
        }
    }

    /// Waits for the other side to end the connection; fails when it does not.
    pub async fn ended<T: DeserializeOwned>(&mut self) -> Result<()> {
        timeout(PATIENCE, async { while let Ok(Some(_)) = self.listen::<T>().await {} })
            .await
            .context("the other side keeps the connection open")
    }

    /// Reads on with the limits of `stage`.
    pub fn enter(&mut self, stage: Stage) {
        self.reader.enter(stage);
    }

    async fn listen<T: DeserializeOwned>(&mut self) -> Result<Option<Heard<T>>> {
        let incoming = match self.reader.next().await {
            Ok(Some(incoming)) => incoming,
            Ok(None) | Err(LinkError::Closed | LinkError::Io(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(match incoming {
            Incoming::Message(message) => Heard::Message(message),
            Incoming::Block(header) => {
                let mut payload = Aligned::default();
                self.reader.payload(&header, &mut payload).await?;
                Heard::Block {
                    transfer: header.transfer,
                    index: header.index,
                    cv: header.cv,
                    payload: payload.to_vec(),
                }
            }
        }))
    }
}

/// A plain connection from an address of this machine.
pub async fn connect_from(from: Ipv4Addr, server: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(socket.connect(server).await?)
}

/// A frame of any kind, right or wrong.
pub fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [(body.len() as u32).to_le_bytes().as_slice(), &[kind], body].concat()
}

/// The beginning of a frame that claims `len` bytes.
pub fn frame_head(kind: u8, len: u32) -> Vec<u8> {
    [len.to_le_bytes().as_slice(), &[kind]].concat()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Takes any certificate; the suites of trust use the real client.
#[derive(Debug)]
pub struct BelieveAll;

impl ServerCertVerifier for BelieveAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 was not offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

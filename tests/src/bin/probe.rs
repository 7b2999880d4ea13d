//! What the machine can do without files: `probe MIB [plain]` sends blocks through the same frames, TLS and
//! hashes as an upload, from memory to memory, and prints the seconds. `plain` leaves the hashes out.
//!
//! What a transfer takes longer than this is files, queue and catalog.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use server::config::Config;
use server::datadir::DataDir;
use server::identity::Identity;
use tests::line::BelieveAll;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wire::Aligned;
use wire::block::{self, BLOCK};
use wire::frame::{BlockHeader, Stage};
use wire::link::{Incoming, Reader, Writer};
use wire::message::Lane;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mib: u64 = arguments.first().and_then(|mib| mib.parse().ok()).context(USAGE)?;
    let size = mib * BLOCK as u64;
    let hashes = match arguments.get(1).map(String::as_str) {
        None => Hashes::Made,
        Some("plain") => Hashes::None,
        Some(_) => anyhow::bail!(USAGE),
    };
    let place = tempfile::tempdir()?;
    let config = Config { data_dir: PathBuf::from(place.path()), ..Config::default() };
    let tls = Identity::open(&config, &DataDir::open(&config.data_dir)?)?.tls()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let receiving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let stream = TlsAcceptor::from(tls).accept(BufReader::with_capacity(READ_AHEAD, stream)).await?;
        receive(Reader::new(stream, Stage::Lane), size, hashes).await
    });
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = TlsConnector::from(Arc::new(trusting()?)).connect(ServerName::try_from("localhost")?, stream).await?;
    let (begun, mut writer) = (Instant::now(), Writer::new(stream));
    send(&mut writer, size, hashes).await?;
    // Before the stream is dropped: what it has not read yet would reset the connection.
    receiving.await??;
    let seconds = begun.elapsed().as_secs_f64();
    println(&format!("{seconds:.3}"));
    Ok(())
}

#[derive(Clone, Copy)]
enum Hashes {
    Made,
    None,
}

impl Hashes {
    fn of(self, size: u64, index: u64, bytes: &[u8]) -> block::Cv {
        match self {
            Hashes::Made => block::chaining_value(size, index, bytes),
            Hashes::None => block::Cv([0; 32]),
        }
    }
}

/// The next block is hashed on a thread of its own while one travels, as in the client.
async fn send(writer: &mut Writer<impl tokio::io::AsyncWrite + Unpin>, size: u64, hashes: Hashes) -> Result<()> {
    let content = Arc::new((0..BLOCK).map(|at| ((at * 31) >> 3) as u8).collect::<Vec<u8>>());
    let hash = |index| {
        let content = content.clone();
        tokio::task::spawn_blocking(move || hashes.of(size, index, &content))
    };
    let mut ahead = hash(0);
    for index in 0..block::count(size) {
        let cv = ahead.await?;
        ahead = hash(index + 1);
        writer.block(BlockHeader { transfer: 1, index, cv, len: BLOCK }, &content).await?;
    }
    Ok(writer.flush().await?)
}

/// One block is proven while the next is read, as in the server.
async fn receive(mut reader: Reader<impl tokio::io::AsyncRead + Unpin>, size: u64, hashes: Hashes) -> Result<()> {
    let (mut spare, mut proving) = (Aligned::with_capacity(BLOCK), None);
    for _ in 0..block::count(size) {
        let Some(Incoming::Block(header)) = reader.next::<Lane>().await? else { anyhow::bail!("no block came") };
        let mut buffer = std::mem::take(&mut spare);
        reader.payload(&header, &mut buffer).await?;
        let proof = tokio::task::spawn_blocking(move || {
            let right = hashes.of(size, header.index, &buffer) == header.cv;
            (buffer, right)
        });
        if let Some(proving) = proving.replace(proof) {
            let (buffer, right): (Aligned, bool) = proving.await?;
            ensure!(right, "a block was damaged");
            spare = buffer;
        }
    }
    if let Some(proving) = proving {
        ensure!(proving.await?.1, "the last block was damaged");
    }
    Ok(())
}

fn trusting() -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelieveAll));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![tests::line::ALPN.to_vec()];
    Ok(config)
}

#[expect(clippy::print_stdout, reason = "the answer")]
fn println(line: &str) {
    println!("{line}");
}

const USAGE: &str = "usage: probe MIB [plain]";
/// As client and server read their sockets.
const READ_AHEAD: usize = 256 << 10;

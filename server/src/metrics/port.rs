//! The page over HTTP, as little of it as a scraper needs: one GET a connection, a few connections at once, each with a
//! short patience and a short request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::page::Observed;

/// Where scrapers come.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    page: Arc<Page>,
}

/// The last page, and when it was made: however often it is asked for, the work is done once in a while.
#[derive(Debug)]
struct Page {
    observed: Observed,
    last: Mutex<Option<(Instant, Arc<str>)>>,
}

impl Port {
    pub(crate) async fn open(address: SocketAddr, observed: Observed) -> io::Result<Self> {
        let page = Arc::new(Page { observed, last: Mutex::default() });
        Ok(Self { listener: TcpListener::bind(address).await?, page })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub(crate) async fn run(self) {
        let mut answering = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    // Beyond that they are closed without a word.
                    Ok(_) if answering.len() >= AT_ONCE => {}
                    Ok((stream, _)) => {
                        let page = Arc::clone(&self.page);
                        answering.spawn(async move {
                            match tokio::time::timeout(PATIENCE, answer(stream, &page)).await {
                                Ok(Ok(())) => {}
                                Ok(Err(error)) => tracing::debug!(%error, "a scrape ended"),
                                Err(_) => tracing::debug!("a scrape took too long"),
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a scrape could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = answering.join_next() => {}
            }
        }
    }
}

impl Page {
    async fn text(&self) -> Arc<str> {
        let mut last = self.last.lock().await;
        match &*last {
            Some((made, text)) if made.elapsed() < FRESH => Arc::clone(text),
            _ => {
                let text: Arc<str> = self.observed.page().await.into();
                *last = Some((Instant::now(), Arc::clone(&text)));
                text
            }
        }
    }
}

async fn answer(mut stream: TcpStream, page: &Page) -> io::Result<()> {
    let (status, body) = match request(&mut stream).await? {
        Some((method, _)) if method != "GET" => ("405 Method Not Allowed\r\nAllow: GET", "only GET\n".into()),
        Some((_, path)) if path == "/metrics" => ("200 OK", page.text().await),
        Some(_) => ("404 Not Found", "the figures are at /metrics\n".into()),
        None => ("400 Bad Request", "that is no request\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Method and path; `None` if it is no request, or too long for one.
async fn request(stream: &mut TcpStream) -> io::Result<Option<(String, String)>> {
    let mut said = Vec::with_capacity(LONGEST);
    while !said.windows(4).any(|end| end == b"\r\n\r\n") {
        if said.len() >= LONGEST || stream.read_buf(&mut said).await? == 0 {
            return Ok(None);
        }
    }
    let text = String::from_utf8_lossy(&said);
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some(method), Some(path), Some(version)) if version.starts_with("HTTP/1.") => {
            Ok(Some((method.to_owned(), path.split('?').next().unwrap_or_default().to_owned())))
        }
        _ => Ok(None),
    }
}

/// Scrapers that are answered at once.
const AT_ONCE: usize = 4;
/// From a connection to the last byte of its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a request, its headers and all.
const LONGEST: usize = 4 << 10;
/// For how long a page is as good as a new one.
const FRESH: Duration = Duration::from_secs(1);
/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

//! Reader and writer over streams that deliver as they like: byte by byte, cut anywhere, with
//! payloads partly in the reader's buffer.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, duplex};

use crate::aligned::Aligned;
use crate::block::{BLOCK, Cv};
use crate::frame::{BlockHeader, FrameError, MAX_GUEST, Stage};
use crate::link::{Incoming, LinkError, Reader, Writer};
use crate::message::{FromClient, Lane, RawPath};

/// What one end says: messages by number, blocks by their payload.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Message(u64),
    Block(Vec<u8>),
}

fn conversation() -> Vec<Said> {
    let payload = |len: usize, seed: u8| Said::Block((0..len).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect());
    vec![
        Said::Message(1),
        payload(1, 1),
        payload(70_000, 2),
        Said::Message(2),
        Said::Message(3),
        payload(300, 3),
        payload(BLOCK, 4),
        payload(BLOCK, 5),
        Said::Block(vec![0; BLOCK]),
        Said::Block(vec![0; 4]),
        payload(17, 6),
        Said::Block(vec![0; 5]),
        Said::Message(4),
    ]
}

fn message(transfer: u64) -> Lane {
    Lane::Get { transfer, path: RawPath(b"some/where".to_vec()), eager: false }
}

async fn say<W: tokio::io::AsyncWrite + Unpin>(stream: W, said: &[Said]) {
    let mut writer = Writer::new(stream);
    for (index, item) in said.iter().enumerate() {
        match item {
            Said::Message(number) => writer.feed(&message(*number)).await.expect("fed"),
            Said::Block(payload) => {
                let header =
                    BlockHeader { transfer: 9, index: index as u64, cv: Cv([index as u8; 32]), len: payload.len() };
                writer.block(header, payload).await.expect("written");
            }
        }
    }
    writer.close().await.expect("closed");
}

async fn hear<R: AsyncRead + Unpin>(stream: R) -> Result<Vec<Said>, LinkError> {
    let (mut reader, mut said, mut buffer) = (Reader::new(stream, Stage::Lane), Vec::new(), Aligned::default());
    while let Some(incoming) = reader.next::<Lane>().await? {
        said.push(match incoming {
            Incoming::Message(Lane::Get { transfer, .. }) => Said::Message(transfer),
            Incoming::Message(other) => panic!("nobody said {other:?}"),
            Incoming::Block(header) => {
                assert_eq!((header.index, header.cv), (said.len() as u64, Cv([said.len() as u8; 32])));
                reader.payload(&header, &mut buffer).await?;
                Said::Block(buffer.to_vec())
            }
        });
    }
    Ok(said)
}

async fn bytes_of(said: &[Said]) -> Vec<u8> {
    let (near, mut far) = duplex(1 << 16);
    let mut bytes = Vec::new();
    let (_, read) = tokio::join!(say(near, said), far.read_to_end(&mut bytes));
    read.expect("read to the end");
    bytes
}

#[tokio::test]
async fn blocks_and_messages_come_in_order_through_a_pipe_of_any_width() {
    for width in [1, 7, 4096, 70_001, 4 << 20] {
        let said: Vec<Said> = match width {
            // A whole block byte by byte proves nothing that a small one does not.
            1 | 7 => conversation().into_iter().filter(|s| !matches!(s, Said::Block(p) if p.len() == BLOCK)).collect(),
            _ => conversation(),
        };
        let (near, far) = duplex(width);
        let ((), heard) = tokio::join!(say(near, &said), hear(far));
        assert_eq!(heard.expect("all of it"), said, "through {width} bytes");
    }
}

#[tokio::test]
async fn a_stream_in_two_parts_reads_the_same_wherever_it_is_parted() {
    let said = vec![Said::Message(1), Said::Block(b"payload".to_vec()), Said::Message(2), Said::Block(vec![5; 200])];
    let bytes = bytes_of(&said).await;
    for cut in 0..=bytes.len() {
        let (first, second) = bytes.split_at(cut);
        assert_eq!(hear(first.chain(second)).await.expect("all of it"), said, "cut at {cut}");
    }
}

#[tokio::test]
async fn an_end_inside_a_frame_is_not_a_clean_end() {
    let bytes = bytes_of(&[Said::Message(1), Said::Block(b"payload".to_vec())]).await;
    let whole = [0, bytes_of(&[Said::Message(1)]).await.len(), bytes.len()];
    for end in 0..=bytes.len() {
        assert_eq!(hear(&bytes[..end]).await.is_ok(), whole.contains(&end), "{end} of {} bytes", bytes.len());
    }
}

#[tokio::test]
async fn a_block_where_only_messages_may_come_is_refused() {
    let bytes = bytes_of(&[Said::Block(b"x".to_vec())]).await;
    let refused = Reader::new(bytes.as_slice(), Stage::Lane).message::<Lane>().await;
    assert!(matches!(refused, Err(LinkError::UnexpectedBlock)));
    let refused = Reader::new(bytes.as_slice(), Stage::Control).message::<FromClient>().await;
    assert!(matches!(refused, Err(LinkError::Frame(FrameError::Kind(2)))));
}

#[tokio::test]
async fn a_reader_keeps_to_the_limit_of_its_stage() {
    let (mut near, far) = duplex(1 << 17);
    let long = ((MAX_GUEST + 1) as u32).to_le_bytes();
    near.write_all(&[long.as_slice(), &[1]].concat()).await.expect("written");
    let mut reader = Reader::new(far, Stage::Guest);
    let refused = reader.message::<FromClient>().await;
    assert!(matches!(refused, Err(LinkError::Frame(FrameError::TooLong { max: MAX_GUEST, .. }))));
}

#[tokio::test]
async fn small_messages_wait_for_the_flush_and_leave_together() {
    let (near, mut far) = duplex(1 << 16);
    let mut writer = Writer::new(near);
    let mut buffer = [0; 1024];
    writer.feed(&FromClient::Ping).await.expect("fed");
    writer.feed(&FromClient::Goodbye).await.expect("fed");
    let early = tokio::select! {
        biased;
        read = far.read(&mut buffer) => Some(read),
        () = std::future::ready(()) => None,
    };
    assert!(early.is_none(), "a message left before the flush");
    writer.flush().await.expect("flushed");
    assert_eq!(far.read(&mut buffer).await.expect("read"), 2 * (5 + 4));
}

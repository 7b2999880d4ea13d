//! The pieces of a transfer, each alone: frames, block hashes, folding, catalog transactions, listings.
//! `just bench-micro`; what the whole costs is measured by `bench.py`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that fails says so at once"
)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use server::catalog::{Account, Catalog, Phc, PublishIntent, Record, Settled, Stamp, UserId};
use server::config::Durability;
use server::datadir::DataDir;
use server::vault::{Depth, Vault};
use tokio::runtime::Runtime;
use wire::block::{BLOCK, Cv, Root, chaining_value, fold};
use wire::frame::{BlockHeader, Stage};
use wire::link::{Incoming, Reader, Writer};
use wire::message::{Expect, Lane, Offer, RawPath, Time};
use wire::{Aligned, RemotePath, UserName};

/// A block and a small file, as frames, from one memory to another.
fn codec(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("codec");
    let block = vec![7; BLOCK];
    group.throughput(Throughput::Bytes(BLOCK as u64));
    group.bench_function("block of 1 MiB there and back", |bencher| {
        let mut buffer = Aligned::with_capacity(BLOCK);
        bencher.iter(|| runtime.block_on(block_through(&block, &mut buffer)));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("messages of one small file", |bencher| {
        bencher.iter(|| runtime.block_on(small_file_through()));
    });
    group.finish();
}

async fn block_through(block: &[u8], buffer: &mut Aligned) {
    let header = BlockHeader { transfer: 1, index: 0, cv: Cv([3; 32]), len: block.len() };
    let mut stream = Vec::with_capacity(BLOCK + 64);
    let mut writer = Writer::new(&mut stream);
    writer.block(header, block).await.expect("written");
    writer.flush().await.expect("flushed");
    let mut reader = Reader::new(stream.as_slice(), Stage::Lane);
    let Ok(Some(Incoming::Block(header))) = reader.next::<Lane>().await else { panic!("no block") };
    reader.payload(&header, buffer).await.expect("a payload");
}

async fn small_file_through() {
    let offer = Offer { size: 4096, mtime: Time { secs: 1, nanos: 2 }, executable: false, eager: true };
    let path = RawPath(b"a/directory/and/a/file.txt".to_vec());
    let messages = [
        Lane::Put { transfer: 9, path, offer, expect: Expect::Absent },
        Lane::Seal { transfer: 9, root: Root([1; 32]) },
        Lane::Stored { transfer: 9, root: Root([1; 32]) },
    ];
    let mut stream = Vec::new();
    let mut writer = Writer::new(&mut stream);
    for message in &messages {
        writer.feed(message).await.expect("written");
    }
    writer.flush().await.expect("flushed");
    let mut reader = Reader::new(stream.as_slice(), Stage::Lane);
    for _ in messages {
        assert!(matches!(reader.message::<Lane>().await, Ok(Some(_))));
    }
}

fn hashing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hashing");
    let block = vec![5; BLOCK];
    group.throughput(Throughput::Bytes(BLOCK as u64));
    group.bench_function("chaining value of a block", |bencher| {
        bencher.iter(|| chaining_value(u64::MAX, 77, &block));
    });
    group.throughput(Throughput::Bytes(4096));
    group.bench_function("a small file", |bencher| bencher.iter(|| chaining_value(4096, 0, &block[..4096])));
    group.finish();
}

fn folding(criterion: &mut Criterion) {
    let cvs: Vec<Cv> = (0..20_480u32).map(|index| Cv(*blake3::hash(&index.to_le_bytes()).as_bytes())).collect();
    criterion.bench_function("folding 20 GiB of blocks", |bencher| bencher.iter(|| fold(&cvs)));
}

/// Announce and settle a group of small files, durable, in a real database file.
fn catalog(criterion: &mut Criterion) {
    const GROUP: u64 = 256;
    let (dir, runtime) = (tempfile::tempdir().expect("a directory"), runtime());
    let catalog = Catalog::open(&dir.path().join("catalog.sqlite"), Durability::Full).expect("opened");
    let user = runtime.block_on(account(&catalog));
    let mut group = criterion.benchmark_group("catalog");
    group.throughput(Throughput::Elements(GROUP)).sample_size(20);
    let mut round = 0;
    group.bench_function("publish a group of 256", |bencher| {
        bencher.iter_batched(
            || {
                round += 1;
                (0..GROUP).map(|index| intent(user, round, index)).collect::<Vec<_>>()
            },
            |intents| runtime.block_on(publish(&catalog, intents)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

async fn account(catalog: &Catalog) -> UserId {
    let ada = "ada".parse::<UserName>().expect("a name");
    catalog.add_user(&ada, Phc("none".to_owned()), None, None).await.expect("added");
    let Account { id, .. } = catalog.account(&ada).await.expect("looked up").expect("there");
    id
}

fn intent(user: UserId, round: u64, index: u64) -> PublishIntent {
    let path = RemotePath::parse(format!("directory {round}/file {index}").as_bytes()).expect("a path");
    let stamp = Stamp { size: 4096, mtime: Time { secs: 1, nanos: 2 }, inode: index, root: Root([4; 32]) };
    PublishIntent { user, path, staging: format!("g{round}-{index}"), record: Record { stamp, cvs: Vec::new() } }
}

async fn publish(catalog: &Catalog, intents: Vec<PublishIntent>) {
    let begun = catalog.begin_publish(intents).await;
    let settled = begun.into_iter().map(|id| Settled { intent: id.expect("announced"), replaced: None }).collect();
    assert!(catalog.settle_publish(settled, Vec::new()).await.iter().all(Result::is_ok));
}

fn listing(criterion: &mut Criterion) {
    const ENTRIES: u32 = 10_000;
    let dir = tempfile::tempdir().expect("a directory");
    let data = DataDir::open(dir.path()).expect("opened");
    let ada = "ada".parse::<UserName>().expect("a name");
    data.make_home(&ada).expect("made");
    for index in 0..ENTRIES {
        fs::write(data.home(&ada).join("files").join(format!("file {index}")), b"").expect("written");
    }
    let home = Vault::new(&data.users(), Arc::new(Durability::Full)).home(&ada).expect("a home");
    let mut group = criterion.benchmark_group("listing");
    group.throughput(Throughput::Elements(ENTRIES.into())).sample_size(20);
    group.bench_function("10,000 entries", |bencher| {
        bencher.iter(|| {
            let (mut listing, mut count) = (home.listing(&RemotePath::home(), Depth::One).expect("opened"), 0);
            while let Some(page) = listing.page(|_| true).expect("listed") {
                count += page.len();
            }
            assert_eq!(count, ENTRIES as usize);
        });
    });
    group.finish();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

criterion_group! {
    name = pieces;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = codec, hashing, folding, catalog, listing
}
criterion_main!(pieces);

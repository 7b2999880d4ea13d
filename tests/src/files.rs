//! Files with content that is random to look at and the same every time, and what a home holds.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wire::Root;

/// `len` bytes that follow from `seed`.
pub fn content(seed: &str, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream(seed).fill(&mut bytes);
    bytes
}

/// Writes a file of such content, and the directories above it, without holding it in memory.
pub fn write(path: &Path, seed: &str, len: u64) -> Result<Root> {
    fs::create_dir_all(path.parent().context("a file has a directory")?)?;
    let mut source = stream(seed).take(len);
    let mut hasher = blake3::Hasher::new();
    let mut file = BufWriter::new(File::create(path)?);
    let mut buffer = vec![0; PIECE];
    loop {
        let read = source.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        hasher.update(piece);
        file.write_all(piece)?;
    }
    file.flush()?;
    Ok(Root(*hasher.finalize().as_bytes()))
}

/// Flips a bit of a file and leaves no other trace.
pub fn flip(path: &Path, at: u64) -> Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let modified = file.metadata()?.modified()?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&byte.map(|byte| byte ^ 4), at)?;
    Ok(file.set_modified(modified)?)
}

/// The hash of a file, by the plain library: what `b3sum` prints.
pub fn root(path: &Path) -> Result<Root> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    Ok(Root(*blake3::Hasher::new().update_reader(file)?.finalize().as_bytes()))
}

/// The hash of bytes.
pub fn root_of(bytes: &[u8]) -> Root {
    Root(*blake3::hash(bytes).as_bytes())
}

/// What a directory holds, below it and all in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Bytes of its regular files.
    pub bytes: u64,
    /// Regular files and links.
    pub files: u64,
}

/// Walks a directory; links are not followed.
pub fn holds(directory: &Path) -> Result<Holds> {
    paths(directory)?.iter().try_fold(Holds::default(), |sum, path| {
        let metadata = fs::symlink_metadata(path)?;
        let bytes = if metadata.is_file() { metadata.len() } else { 0 };
        Ok(Holds { bytes: sum.bytes + bytes, files: sum.files + 1 })
    })
}

/// Everything below a directory that is not a directory.
pub fn paths(directory: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("reading {}", next.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { open.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    Ok(found)
}

fn stream(seed: &str) -> blake3::OutputReader {
    blake3::Hasher::new_derive_key("catamaran tests: content").update(seed.as_bytes()).finalize_xof()
}

/// Bytes of content that are made at once.
const PIECE: usize = 1 << 20;

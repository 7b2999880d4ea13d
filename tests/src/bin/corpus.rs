//! Writes the seeds of the fuzz targets into their corpora: `corpus DIRECTORY`, as `just corpus` does.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tests::fuzz::seeds::seeds;

fn main() -> Result<()> {
    let corpora = PathBuf::from(std::env::args_os().nth(1).context("the directory of the corpora")?);
    for seed in seeds() {
        let corpus = corpora.join(seed.target);
        std::fs::create_dir_all(&corpus)?;
        std::fs::write(corpus.join(seed.name), seed.bytes)?;
    }
    Ok(())
}

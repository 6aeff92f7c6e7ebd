//! The encoders, each with the level whose bytes and time are in docs/speed.md.

use std::io::{self, Write};

use flate2::write::GzEncoder;

use super::accept::Coding;

pub(super) const GZIP_LEVEL: u32 = 5;
pub(super) const ZSTD_LEVEL: i32 = 3;
#[cfg(feature = "brotli")]
pub(super) const BROTLI_LEVEL: u32 = 5;
/// 512 kB, as a power of two: a wider one takes more memory for nothing, with bodies of the size that Lambda takes.
#[cfg(feature = "brotli")]
pub(super) const BROTLI_WINDOW: u32 = 19;

/// Compresses one body into memory, from which it is taken.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    #[cfg(feature = "brotli")]
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
}

impl Encoder {
    /// `size` is that of the body in bytes, if it is certain.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn new(coding: Coding, size: Option<u64>) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.set_pledged_src_size(size)?; // less memory for a small body
                Self::Zstd(encoder)
            }
            #[cfg(feature = "brotli")]
            Coding::Brotli => {
                Self::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_LEVEL, BROTLI_WINDOW)))
            }
        })
    }

    /// Takes a chunk. What it becomes may stay inside until the next flush.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.writer().write_all(chunk)
    }

    /// Brings everything to where it can be taken, so that the client can decode all that was written.
    ///
    /// # Errors
    /// As [`Encoder::write`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }

    /// How many bytes can be taken.
    pub(super) fn ready(&self) -> usize {
        match self {
            Self::Gzip(encoder) => encoder.get_ref().len(),
            Self::Zstd(encoder) => encoder.get_ref().len(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder.get_ref().len(),
        }
    }

    /// Takes what is there of the compressed body.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder.get_mut(),
        })
    }

    /// Ends the body, and returns what was not taken of it.
    ///
    /// # Errors
    /// As [`Encoder::write`].
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder,
        }
    }
}

//! Files collected by name, and written so that the same files always make the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use libdeflater::{CompressionLvl, Compressor};
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};

/// 1980-01-01, the first day that a zip can hold. Compiled Python must not depend on a source's time anyway: Lambda
/// sets times of its own when it unpacks.
const TIME: i64 = 315_532_800;

/// The bits of a mode that say what a file is (stat(2)).
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

/// What one file of an archive holds.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Bytes made here.
    Bytes(Vec<u8>),
    /// A file to copy when the archive is written.
    File(PathBuf),
    /// A symbolic link, and where it leads.
    Link(String),
}

#[derive(Clone, Debug)]
struct Entry {
    contents: Contents,
    executable: bool,
}

/// Files under relative names with `/`, in their order by name. Times are fixed, modes are 755 or 644, and there are
/// no owners, so the bytes depend neither on the machine nor on the day.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    entries: BTreeMap<String, Entry>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many files.
    pub files: usize,
    /// Their sizes together, bytes.
    pub unzipped: u64,
    /// What each of them takes in the zip, in their order, bytes.
    pub each_zipped: Vec<u64>,
    /// The zip's size, bytes.
    pub zipped: u64,
    /// The zip's SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Archive {
    /// Adds a file, or puts it in the place of the one with the same name.
    pub fn add(&mut self, name: impl Into<String>, contents: Contents, executable: bool) {
        self.entries.insert(name.into(), Entry { contents, executable });
    }

    /// Every name, in order, with what it holds.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Contents)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), &entry.contents))
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sizes of all files together, bytes.
    pub fn unzipped(&self) -> io::Result<u64> {
        self.entries.values().map(|entry| entry.contents.size()).sum()
    }

    /// Writes a zip: next to `path` first, then, when it is whole, in its place. `step` is called with each name
    /// before it is compressed.
    pub fn write_zip(&self, path: &Path, mut step: impl FnMut(&str)) -> io::Result<Written> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mut zip = ZipArchiveWriter::new(BufWriter::new(file.as_file_mut()));
        // libdeflate's highest level: three parts in a hundred smaller than zlib's, in the same time.
        let mut compressor = Compressor::new(CompressionLvl::best());
        let mut each_zipped = Vec::with_capacity(self.len());
        for (name, entry) in &self.entries {
            step(name);
            each_zipped.push(entry.add_to(&mut zip, &mut compressor, name)?);
        }
        zip.finish().map_err(io::Error::other)?.flush()?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.rewind()?;
        let (zipped, sha256) = digest(file.as_file_mut())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(Written { files: self.len(), unzipped: self.unzipped()?, each_zipped, zipped, sha256 })
    }

    /// Writes the files into a folder, which must be empty or absent.
    pub fn write_folder(&self, folder: &Path) -> io::Result<()> {
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            let error = format!("{} is not empty: name a new folder, or empty it", folder.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
        }
        fs::create_dir_all(folder)?;
        for (name, entry) in &self.entries {
            entry.write_to(&folder.join(name))?;
        }
        Ok(())
    }
}

impl Contents {
    /// The size in the archive, bytes.
    pub fn size(&self) -> io::Result<u64> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(path) => fs::metadata(path).map_err(|error| named(path, &error))?.len(),
            Self::Link(target) => target.len() as u64,
        })
    }

    /// The bytes. Those of a link are the path that it leads to.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => fs::read(path).map_err(|error| named(path, &error)),
            Self::Link(target) => Ok(target.clone().into_bytes()),
        }
    }
}

impl Entry {
    fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }

    /// Returns the compressed size, bytes.
    fn add_to<W: Write>(
        &self,
        zip: &mut ZipArchiveWriter<W>,
        compressor: &mut Compressor,
        name: &str,
    ) -> io::Result<u64> {
        let bytes = self.contents.read()?;
        let mut compressed = vec![0; compressor.deflate_compress_bound(bytes.len())];
        let size = compressor.deflate_compress(&bytes, &mut compressed).map_err(io::Error::other)?;
        let kind = if matches!(self.contents, Contents::Link(_)) { S_IFLNK } else { S_IFREG };
        let file = zip.new_file(name).compression_method(CompressionMethod::DEFLATE);
        let file = file.last_modified(UtcDateTime::from_unix(TIME)).unix_permissions(kind | self.mode());
        let (mut file, _) = file.start().map_err(io::Error::other)?;
        file.write_all(&compressed[..size])?;
        let sum = DataDescriptorOutput::new(libdeflater::crc32(&bytes), bytes.len() as u64);
        file.finish(sum).map_err(io::Error::other)?;
        Ok(size as u64)
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match &self.contents {
            Contents::Link(target) => return symlink(target, path),
            Contents::File(source) => fs::copy(source, path).map(drop).map_err(|error| named(source, &error))?,
            Contents::Bytes(bytes) => fs::write(path, bytes)?,
        }
        fs::set_permissions(path, fs::Permissions::from_mode(self.mode()))
    }
}

/// Size and SHA-256 of the rest of a file.
fn digest(file: &mut fs::File) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut reader = BufReader::new(file);
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
    Ok((size, hex(&hash.finalize())))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn sample(folder: &Path, mode: u32, modified: SystemTime) -> Archive {
        let source = folder.join("source");
        fs::write(&source, "x".repeat(10_000)).unwrap();
        fs::set_permissions(&source, fs::Permissions::from_mode(mode)).unwrap();
        fs::File::open(&source).unwrap().set_modified(modified).unwrap();
        let mut archive = Archive::default();
        archive.add("lib/z.txt", Contents::File(source), false);
        archive.add("bootstrap", Contents::Bytes(b"\x7fELF".to_vec()), true);
        archive.add("lib/link.so", Contents::Link("link.so.1".to_owned()), false);
        archive
    }

    #[test]
    fn the_same_files_give_the_same_zip_whenever_and_wherever() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let one = sample(folder.path(), 0o600, now).write_zip(&folder.path().join("1.zip"), |_| {}).unwrap();
        let long_ago = now - Duration::from_secs(1_000_000);
        let two = sample(folder.path(), 0o755, long_ago).write_zip(&folder.path().join("2.zip"), |_| {}).unwrap();
        assert_eq!(one, two);
        let bytes = fs::read(folder.path().join("1.zip")).unwrap();
        assert_eq!(bytes, fs::read(folder.path().join("2.zip")).unwrap());
        assert_eq!((one.files, one.zipped), (3, bytes.len() as u64));
        assert_eq!(one.unzipped, 10_000 + 4 + 9);
        assert_eq!(one.sha256, hex(&Sha256::digest(&bytes)));
        assert_eq!(hex(&[0, 0xa5, 0xff]), "00a5ff");
    }

    #[test]
    fn a_zip_and_a_folder_hold_names_modes_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let archive = sample(folder.path(), 0o600, SystemTime::now());
        let zip = folder.path().join("made/for/it.zip");
        let mut names = Vec::new();
        let written = archive.write_zip(&zip, |name| names.push(name.to_owned())).unwrap();
        assert_eq!(names, ["bootstrap", "lib/link.so", "lib/z.txt"]);
        let mut read = zip::ZipArchive::new(fs::File::open(&zip).unwrap()).unwrap();
        assert_eq!(read.by_name("bootstrap").unwrap().unix_mode().unwrap() & 0o777, 0o755);
        assert_eq!(read.by_name("lib/z.txt").unwrap().unix_mode().unwrap() & 0o777, 0o644);
        assert!(read.by_name("lib/link.so").unwrap().is_symlink());
        let sizes: Vec<_> = names.iter().map(|name| read.by_name(name).unwrap().compressed_size()).collect();
        assert_eq!(written.each_zipped, sizes);
        assert_eq!(read.file_names().map(|name| name.unwrap().into_owned()).collect::<Vec<_>>(), names);
        assert!(sizes[2] < 100, "10,000 times the same letter: {sizes:?}");

        let out = folder.path().join("out");
        archive.write_folder(&out).unwrap();
        assert_eq!(fs::metadata(out.join("bootstrap")).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::metadata(out.join("lib/z.txt")).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_link(out.join("lib/link.so")).unwrap(), Path::new("link.so.1"));
        assert!(archive.write_folder(&out).unwrap_err().to_string().contains("is not empty"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_leaves_no_zip() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = Archive::default();
        archive.add("a", Contents::File(folder.path().join("gone")), false);
        let zip = folder.path().join("out.zip");
        let error = archive.write_zip(&zip, |_| {}).unwrap_err().to_string();
        assert!(error.contains("gone"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! [`Assets`]: the page's files under the names they are served by.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::compress::{Coding, Effort};

/// Where files are whose name changes with their content, so that a browser may keep them for ever.
const HASHED: &str = "assets";

/// The page's files by their path in the served folder.
#[derive(Debug, Default)]
pub(crate) struct Assets(BTreeMap<String, Vec<u8>>);

impl Assets {
    /// Adds a file, named after its source and its content, and gives its URL.
    pub(crate) fn add(&mut self, source: &str, bytes: Vec<u8>) -> Result<String> {
        let name = Path::new(source)
            .file_name()
            .and_then(|name| name.to_str())
            .with_context(|| format!("{source} names no file"))?;
        let (stem, kind) = name
            .rsplit_once('.')
            .with_context(|| format!("{source} has no extension, so its content type is unknown"))?;
        let path = format!("{HASHED}/{stem}-{}.{kind}", short_hash([bytes.as_slice()]));
        let url = format!("/{path}");
        self.0.insert(path, bytes);
        Ok(url)
    }

    /// Adds a file under this very name.
    pub(crate) fn add_fixed(&mut self, path: &str, bytes: Vec<u8>) {
        self.0.insert(path.to_owned(), bytes);
    }

    /// Adds what a module imports from `./snippets/`, and gives the module with those imports renamed, and the URLs of
    /// the modules. wasm-bindgen names the folders after packages; only a hash of the content may be kept for ever.
    /// Programs with the same snippets share them.
    pub(crate) fn add_snippets(
        &mut self,
        js: &str,
        snippets: Vec<(String, Vec<u8>)>,
    ) -> (String, Vec<String>) {
        let hash = short_hash(snippets.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes]));
        let mut urls = Vec::new();
        for (path, bytes) in snippets {
            let path = format!("{HASHED}/snippets-{hash}/{path}");
            urls.push(format!("/{path}"));
            self.0.insert(path, bytes);
        }
        (js.replace("./snippets/", &format!("./snippets-{hash}/")), urls)
    }

    /// Stands for every name and every byte.
    pub(crate) fn hash(&self) -> String {
        short_hash(self.0.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes]))
    }

    /// Makes `dir` hold these files, each also compressed, and nothing else. What is there already
    /// stays untouched, so that nothing is compressed or compiled in a second time.
    pub(crate) fn write(&self, dir: &Path, effort: Effort) -> Result<Sizes> {
        let mut sizes = Sizes::default();
        let mut kept = Vec::new();
        for (name, bytes) in &self.0 {
            let plain = dir.join(name);
            let is_new = fs::read(&plain).ok().as_ref() != Some(bytes);
            if is_new && plain.exists() {
                // Gone first and back last: where the plain file is, its packed ones belong to it.
                fs::remove_file(&plain).with_context(|| format!("cannot replace {}", plain.display()))?;
            }
            let mut size = Size::of(bytes);
            for coding in Coding::worthwhile(name) {
                let packed = dir.join(format!("{name}.{}", coding.suffix()));
                if is_new || !packed.exists() {
                    write(&packed, &coding.encode(bytes, effort)?)?;
                }
                size.set(*coding, usize::try_from(fs::metadata(&packed)?.len())?);
                kept.push(packed);
            }
            if is_new {
                write(&plain, bytes)?;
            }
            kept.push(plain);
            sizes.0.push((name.clone(), size));
        }
        remove_all_but(dir, &kept)?;
        Ok(sizes)
    }
}

fn short_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    fs::create_dir_all(path.parent().with_context(failed)?).with_context(failed)?;
    // In one move, so that a build that is cut short leaves no half of a file.
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).with_context(failed)?;
    fs::rename(&unfinished, path).with_context(failed)
}

fn remove_all_but(dir: &Path, kept: &[PathBuf]) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            remove_all_but(&path, kept)?;
        } else if !kept.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// What the page weighs, file by file.
#[derive(Debug, Default)]
pub(crate) struct Sizes(Vec<(String, Size)>);

/// Bytes on disk, and as they are sent to a browser that takes gzip or brotli.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    plain: usize,
    gzip: usize,
    brotli: usize,
}

impl Size {
    fn of(bytes: &[u8]) -> Self {
        let plain = bytes.len();
        Self {
            plain,
            gzip: plain,
            brotli: plain,
        }
    }

    fn set(&mut self, coding: Coding, packed: usize) {
        match coding {
            Coding::Gzip => self.gzip = packed,
            Coding::Brotli => self.brotli = packed,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            plain: self.plain + other.plain,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

impl Sizes {
    /// What these files are together in brotli, in bytes.
    pub(crate) fn brotli(&self, paths: &[String]) -> usize {
        let wanted = self.0.iter().filter(|(path, _)| paths.contains(path));
        wanted.map(|(_, size)| size.brotli).sum()
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:44} {:>9} {:>9} {:>9}", "bytes", "plain", "gzip", "brotli")?;
        let total = self
            .0
            .iter()
            .fold(Size::default(), |sum, (_, size)| sum.plus(*size));
        let rows = self.0.iter().map(|(name, size)| (name.as_str(), size));
        for (name, size) in rows.chain([("together", &total)]) {
            let Size { plain, gzip, brotli } = size;
            writeln!(f, "    {name:44} {plain:>9} {gzip:>9} {brotli:>9}")?;
        }
        f.write_str("    built")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder that goes with this value. (A crate for it would change the features of xtask's
    /// other dependencies, and the tests would compile all of them again.)
    struct TempDir(PathBuf);

    impl TempDir {
        fn new(test: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("xtask-{test}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn page(style: &str) -> (Assets, String) {
        let mut assets = Assets::default();
        let url = assets.add("style/page.css", style.into()).unwrap();
        assets.add_fixed("index.html", b"<p>".into());
        (assets, url)
    }

    #[test]
    fn a_files_name_changes_with_its_content_and_so_does_the_pages_hash() {
        let (one, one_url) = page("a");
        let (other, other_url) = page("b");
        assert!(
            one_url.starts_with("/assets/page-") && one_url.ends_with(".css"),
            "{one_url}"
        );
        assert_ne!(one_url, other_url);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash(), page("a").0.hash());
    }

    #[test]
    fn stale_files_go_and_the_rest_is_not_written_again() {
        let dir = TempDir::new("stale");
        let written = |path: &str| fs::metadata(dir.0.join(path)).and_then(|file| file.modified());
        let (one, one_url) = page("a");
        one.write(&dir.0, Effort::Quick).unwrap();
        let before = written("index.html.br").unwrap();

        let (other, other_url) = page("b");
        other.write(&dir.0, Effort::Quick).unwrap();
        for suffix in ["", ".gz", ".br"] {
            assert!(written(&format!("{}{suffix}", &one_url[1..])).is_err());
            assert!(written(&format!("{}{suffix}", &other_url[1..])).is_ok());
        }
        assert_eq!(written("index.html.br").unwrap(), before);
    }

    #[test]
    fn a_build_that_was_cut_short_is_made_whole() {
        let dir = TempDir::new("cut-short");
        let (assets, url) = page("a");
        assets.write(&dir.0, Effort::Quick).unwrap();
        let packed = dir.0.join(format!("{}.br", &url[1..]));
        fs::remove_file(&packed).unwrap();
        fs::write(dir.0.join("half.unfinished"), "x").unwrap();
        assets.write(&dir.0, Effort::Quick).unwrap();
        assert!(packed.exists());
        assert!(!dir.0.join("half.unfinished").exists());
    }

    #[test]
    fn what_a_module_imports_is_found_under_its_new_name() {
        let mut assets = Assets::default();
        let snippets = vec![("lib-1/inline0.js".to_owned(), b"export {};".to_vec())];
        let (js, urls) = assets.add_snippets("import './snippets/lib-1/inline0.js';", snippets);
        let path = js
            .split('\'')
            .nth(1)
            .and_then(|path| path.strip_prefix("./"))
            .unwrap();
        assert!(assets.0.contains_key(&format!("{HASHED}/{path}")), "{js}");
        assert!(!path.starts_with("snippets/"), "{js}");
        assert_eq!(urls, [format!("/{HASHED}/{path}")]);
    }
}

//! [`Figures`]: what was counted, and with what, as it is committed.

use std::{collections::BTreeMap, env, fmt, fs};

use anyhow::{Context, Result};

use crate::{process, workspace::Workspace};

/// What was counted, by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// With what.
    pub(super) made: Made,
    counts: BTreeMap<String, u64>,
}

/// What a count depends on besides the source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Made(BTreeMap<String, String>);

const HEAD: &str =
    "# Instructions of the hottest paths. Written by `cargo xtask bench counts -- --accept`.\n";

impl Figures {
    pub(super) fn new(made: Made) -> Self {
        Self {
            made,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn set(&mut self, path: &str, count: u64) {
        self.counts.insert(path.to_owned(), count);
    }

    pub(super) fn get(&self, path: &str) -> Option<u64> {
        self.counts.get(path).copied()
    }

    /// Undoes [`Self::to_string`]. Reads no more of TOML than that writes.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut figures = Self::default();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (name, value) = line
                .split_once(" = ")
                .with_context(|| format!("{line:?} is no figure"))?;
            match value.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                Some(text) => {
                    figures.made.0.insert(name.to_owned(), text.to_owned());
                }
                None => {
                    let count = value.replace('_', "").parse();
                    let count = count.with_context(|| format!("{value:?} is no count"))?;
                    figures.counts.insert(name.to_owned(), count);
                }
            }
        }
        Ok(figures)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (name, text) in &self.made.0 {
            writeln!(f, "{name} = \"{text}\"")?;
        }
        for (path, count) in &self.counts {
            writeln!(f, "{path} = {count}")?;
        }
        Ok(())
    }
}

impl Made {
    /// With what is counted here.
    pub(super) fn here(workspace: &Workspace) -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let rustc = process::output(workspace.program(rustc).arg("--version"))?;
        let libc = process::output(workspace.program("getconf").arg("GNU_LIBC_VERSION"));
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        // The widest registers that valgrind knows. Copying and searching use them where they are there.
        let has_wide = cpus.split_ascii_whitespace().any(|flag| flag == "avx2");
        let cpu = format!(
            "{}{}",
            env::consts::ARCH,
            if has_wide { " with AVX2" } else { "" }
        );
        let facts = [
            ("rustc", rustc.trim()),
            ("libc", libc.as_deref().unwrap_or("unknown").trim()),
            ("cpu", &cpu),
        ];
        let facts = facts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Ok(Self(facts.into()))
    }

    /// In what these are others than those, a sentence each.
    pub(super) fn others<'a>(&'a self, committed: &'a Self) -> impl Iterator<Item = String> + 'a {
        self.0.iter().filter_map(|(name, here)| {
            let there = committed.0.get(name).map_or("nothing known", String::as_str);
            (here != there).then(|| {
                format!("{name}: here {here}, of the committed figures {there}. A part of the difference may be that")
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(rustc: &str) -> Made {
        Made([("rustc".to_owned(), rustc.to_owned())].into())
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        let mut figures = Figures::new(made("rustc 1.95.0 (a b)"));
        figures.set("publish", 37_000);
        figures.set("fan-out", 3_000_000);
        let text = figures.to_string();
        assert_eq!(
            text,
            format!("{HEAD}rustc = \"rustc 1.95.0 (a b)\"\nfan-out = 3000000\npublish = 37000\n")
        );
        assert_eq!(Figures::parse(&text).unwrap(), figures);
        assert!(Figures::parse("publish: 3").is_err() && Figures::parse("publish = many").is_err());
    }

    #[test]
    fn another_compiler_is_told() {
        let (old, new) = (made("1.95.0"), made("1.96.0"));
        assert_eq!(new.others(&new).count(), 0);
        let told: Vec<_> = new.others(&old).collect();
        assert!(
            told.len() == 1 && told[0].contains("1.95.0") && told[0].contains("1.96.0"),
            "{told:?}"
        );
    }
}

//! The raw form of commits and trees.

use review::CommitId;

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) id: String,
}

impl Entry {
    pub(crate) fn is_tree(&self) -> bool {
        self.mode == 0o040_000
    }

    /// Whether it is a file with content of its own: no link, directory or submodule.
    pub(crate) fn is_regular_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// A tree's entries in its order, by name.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: Vec<(Vec<u8>, Entry)>,
}

impl Tree {
    /// Reads `mode SP name NUL id` again and again; `None` if that is not what it is.
    pub(crate) fn parse(mut bytes: &[u8], id_bytes: usize) -> Option<Self> {
        let mut entries = Vec::new();
        while !bytes.is_empty() {
            let space = bytes.iter().position(|&byte| byte == b' ')?;
            let mode = u32::from_str_radix(std::str::from_utf8(&bytes[..space]).ok()?, 8).ok()?;
            let rest = &bytes[space + 1..];
            let nul = rest.iter().position(|&byte| byte == 0)?;
            let (id, after) = rest[nul + 1..].split_at_checked(id_bytes)?;
            let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
            entries.push((rest[..nul].to_vec(), Entry { mode, id }));
            bytes = after;
        }
        Some(Self { entries })
    }

    /// All entries, in the tree's order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = (&[u8], &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_slice(), entry))
    }

    /// The entry of a name.
    pub(crate) fn entry(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|(entry_name, _)| entry_name == name).map(|(_, entry)| entry)
    }

    /// The names of its regular files, in their order.
    pub(crate) fn files(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().filter(|(_, entry)| entry.is_regular_file()).map(|(name, _)| name.as_slice())
    }
}

/// The parents in a raw commit.
pub(crate) fn parents(commit: &[u8]) -> Vec<CommitId> {
    commit
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.is_empty())
        .filter_map(|line| CommitId::new(std::str::from_utf8(line.strip_prefix(b"parent ")?).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_entry_by_entry() {
        let mut bytes = b"100644 a b\0".to_vec();
        bytes.extend([0xab; 20]);
        bytes.extend(b"40000 d\xff\0");
        bytes.extend([0x01; 20]);
        let tree = Tree::parse(&bytes, 20).expect("two whole entries");
        let file = tree.entry(b"a b").expect("the first entry");
        assert_eq!(
            (file.mode, file.id.as_str(), file.is_regular_file()),
            (0o100_644, &*"ab".repeat(20), true)
        );
        assert!(tree.entry(b"d\xff").is_some_and(Entry::is_tree));
        assert!(tree.entry(b"d").is_none());
        for end in 1..bytes.len() {
            let is_border = end == 31;
            assert_eq!(Tree::parse(&bytes[..end], 20).is_some(), is_border, "cut at {end}");
        }
    }

    #[test]
    fn parents_are_read_from_the_header_only() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let commit = format!("tree {id}\nparent {id}\nparent {id}\nauthor A <a> 1 +0000\n\nparent {id}\n");
        assert_eq!(parents(commit.as_bytes()).len(), 2);
    }
}

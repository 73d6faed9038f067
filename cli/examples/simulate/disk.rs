//! A file system in memory. A power cut takes from it what was not synced.
//!
//! A file keeps its content and mode after [`Disk::sync`] of the file, and its name after [`Disk::sync`] of the directory, as POSIX
//! has it and no more. [`Survival`] decides whether a change without a sync is there after a power cut.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use arize_keys::system::{Access, FileKind, Metadata};
use fastrand::Rng;

/// The changes without a sync that a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survival {
    Nothing,
    Everything,
    /// New names, with the content that was synced.
    Names,
    /// New content, under the names that were synced.
    Content,
    /// A part of the names, and of each file all, nothing or a part, by this seed.
    Some(u64),
}

/// The number of a file or directory.
pub(crate) type Inode = u64;

#[derive(Default)]
pub(crate) struct Disk {
    nodes: BTreeMap<Inode, Node>,
    next: Inode,
    /// The names as programs see them.
    names: BTreeMap<PathBuf, Inode>,
    /// The names on the medium.
    synced_names: BTreeMap<PathBuf, Inode>,
    /// The changes of names that are not on the medium, oldest first.
    pending: Vec<NameChange>,
}

struct Node {
    kind: FileKind,
    now: Content,
    synced: Content,
    /// The process that has the lock.
    lock: Option<u32>,
}

#[derive(Clone, PartialEq, Eq)]
struct Content {
    data: Vec<u8>,
    mode: u32,
}

enum NameChange {
    Add(PathBuf, Inode),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameChange {
    fn directory(&self) -> &Path {
        let (Self::Add(path, _) | Self::Remove(path) | Self::Rename(path, _)) = self;
        path.parent().unwrap_or(path)
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, Inode>) {
        match self {
            Self::Add(path, inode) => {
                names.insert(path, inode);
            }
            Self::Remove(path) => {
                names.remove(&path);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(&from) {
                    names.insert(to, inode);
                }
            }
        }
    }
}

impl Disk {
    /// A disk with a directory, and its parents.
    pub(crate) fn new(directory: &str) -> Self {
        let mut disk = Self::default();
        disk.create_directory(Path::new(directory));
        disk
    }

    fn add(&mut self, path: &Path, kind: FileKind, content: Content) -> Inode {
        self.next += 1;
        let synced = Content { data: Vec::new(), mode: content.mode };
        self.nodes.insert(self.next, Node { kind, now: content, synced, lock: None });
        self.change(NameChange::Add(path.to_owned(), self.next));
        self.next
    }

    fn change(&mut self, change: NameChange) {
        match &change {
            NameChange::Add(path, inode) => NameChange::Add(path.clone(), *inode).apply(&mut self.names),
            NameChange::Remove(path) => NameChange::Remove(path.clone()).apply(&mut self.names),
            NameChange::Rename(from, to) => NameChange::Rename(from.clone(), to.clone()).apply(&mut self.names),
        }
        self.pending.push(change);
    }

    /// Creates a directory and its parents, on the medium at once.
    pub(crate) fn create_directory(&mut self, path: &Path) {
        let parents: Vec<&Path> = path.ancestors().collect();
        for path in parents.into_iter().rev() {
            if !self.names.contains_key(path) {
                self.add(path, FileKind::Directory, Content { data: Vec::new(), mode: 0o755 });
            }
        }
        self.sync_all();
    }

    /// Puts a file on the medium, for the set-up.
    pub(crate) fn put(&mut self, path: &Path, data: &str, mode: u32) {
        self.add(path, FileKind::Regular, Content { data: data.into(), mode });
        self.sync_all();
    }

    fn find(&self, path: &Path) -> io::Result<Inode> {
        self.names.get(path).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn node(&mut self, inode: Inode) -> io::Result<&mut Node> {
        self.nodes.get_mut(&inode).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(crate) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.metadata_of(self.find(path)?)
    }

    pub(crate) fn metadata_of(&self, inode: Inode) -> io::Result<Metadata> {
        let node = self.nodes.get(&inode).ok_or(ErrorKind::NotFound)?;
        let Content { data, mode } = &node.now;
        Ok(Metadata {
            kind: node.kind,
            len: data.len() as u64,
            mode: *mode,
            user: 1,
            group: 1,
            device: 1,
            inode,
            links: 1,
        })
    }

    /// The names in a directory.
    pub(crate) fn list(&self, directory: &Path) -> Vec<OsString> {
        let inside = self.names.keys().filter(|path| path.parent() == Some(directory));
        inside.filter_map(|path| path.file_name()).map(ToOwned::to_owned).collect()
    }

    pub(crate) fn open(&mut self, path: &Path, access: Access) -> io::Result<Inode> {
        match (self.find(path), access) {
            (Err(_), Access::Replace) => {
                Ok(self.add(path, FileKind::Regular, Content { data: Vec::new(), mode: 0o644 }))
            }
            (Ok(inode), Access::Replace) => {
                self.node(inode)?.now.data.clear();
                Ok(inode)
            }
            (found, _) => found,
        }
    }

    pub(crate) fn create(&mut self, path: &Path) -> io::Result<Inode> {
        if self.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Ok(self.add(path, FileKind::Regular, Content { data: Vec::new(), mode: 0o600 }))
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.find(from)?;
        self.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        self.change(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    /// The bytes from a position on.
    pub(crate) fn read(&mut self, inode: Inode, from: usize) -> io::Result<&[u8]> {
        Ok(self.node(inode)?.now.data.get(from..).unwrap_or_default())
    }

    pub(crate) fn write(&mut self, inode: Inode, at: usize, bytes: &[u8]) -> io::Result<()> {
        let data = &mut self.node(inode)?.now.data;
        data.resize(data.len().max(at + bytes.len()), 0);
        if let Some(part) = data.get_mut(at..at + bytes.len()) {
            part.copy_from_slice(bytes);
        }
        Ok(())
    }

    pub(crate) fn resize(&mut self, inode: Inode, len: usize) -> io::Result<()> {
        self.node(inode)?.now.data.resize(len, 0);
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, inode: Inode, mode: u32) -> io::Result<()> {
        self.node(inode)?.now.mode = mode;
        Ok(())
    }

    /// Brings a file's content, or a directory's names, to the medium.
    pub(crate) fn sync(&mut self, inode: Inode) -> io::Result<()> {
        let node = self.node(inode)?;
        node.synced.clone_from(&node.now);
        if node.kind == FileKind::Directory {
            let path = self.names.iter().find(|(_, other)| **other == inode).map(|(path, _)| path.clone());
            let (mine, others) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|change| Some(change.directory()) == path.as_deref());
            self.pending = others;
            Vec::into_iter(mine).for_each(|change: NameChange| change.apply(&mut self.synced_names));
        }
        Ok(())
    }

    fn sync_all(&mut self) {
        self.cut_power(Survival::Everything);
    }

    /// Loses what was not synced, and every lock.
    pub(crate) fn cut_power(&mut self, survival: Survival) {
        let mut rng = Rng::with_seed(if let Survival::Some(seed) = survival { seed } else { 0 });
        let kept = match survival {
            Survival::Nothing | Survival::Content => 0,
            Survival::Everything | Survival::Names => self.pending.len(),
            Survival::Some(_) => rng.usize(..=self.pending.len()),
        };
        self.pending.drain(..).take(kept).for_each(|change| change.apply(&mut self.synced_names));
        self.names.clone_from(&self.synced_names);
        for node in self.nodes.values_mut().filter(|node| node.is_dirty()) {
            match survival {
                Survival::Everything | Survival::Content => {}
                Survival::Nothing | Survival::Names => node.now.clone_from(&node.synced),
                Survival::Some(_) => match rng.u8(..3) {
                    0 => {}
                    1 => node.now.clone_from(&node.synced),
                    _ => node.now.data.truncate(rng.usize(..=node.now.data.len())),
                },
            }
            node.synced.clone_from(&node.now);
        }
        self.nodes.values_mut().for_each(|node| node.lock = None);
    }

    /// Forgets the files without a name. Only while no process runs, because it may have such a file open.
    pub(crate) fn collect(&mut self) {
        let Self { nodes, names, synced_names, pending, .. } = self;
        let has_name = |inode: &Inode| names.values().chain(synced_names.values()).any(|other| other == inode);
        nodes.retain(|inode, _| {
            has_name(inode)
                || pending.iter().any(|change| matches!(change, NameChange::Add(_, other) if other == inode))
        });
    }

    pub(crate) fn try_lock(&mut self, inode: Inode, process: u32) -> io::Result<bool> {
        let lock = &mut self.node(inode)?.lock;
        Ok(*lock.get_or_insert(process) == process)
    }

    /// Releases the locks of a process: one of a file that it closes, or all of them when it ends.
    pub(crate) fn unlock(&mut self, inode: Option<Inode>, process: u32) {
        for (number, node) in &mut self.nodes {
            if node.lock == Some(process) && inode.is_none_or(|inode| inode == *number) {
                node.lock = None;
            }
        }
    }

    /// The regular files: path, content and mode.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, &[u8], u32)> {
        self.names.iter().filter_map(|(path, inode)| {
            let node = self.nodes.get(inode).filter(|node| node.kind == FileKind::Regular)?;
            Some((path.as_path(), node.now.data.as_slice(), node.now.mode))
        })
    }
}

impl Node {
    fn is_dirty(&self) -> bool {
        self.kind == FileKind::Regular && self.now != self.synced
    }
}

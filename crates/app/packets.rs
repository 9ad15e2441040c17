//! Packets as files: written and signed by a review, read and verified by whoever has them, and the keys for both.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use git::Repository;
use report::{Seal, proofs};
use review::packet::{MAX_PACKET_BYTES, PacketV1, ReadError, ReadPacket, ReceiptKindV1, read};
use review::record::OWN_FAMILIES;
use review::verify::{Proof, ProofState};
use service::places::user_config;
use service::prompts::Prompts;
use service::receipts::Receipts;
use service::signing::{SignatureFile, SigningKey, TrustedKeys, beside, generate};
use service::tables::Tables;
use service::verify::{Against, VerifyRequest};

use crate::args::{Format, KeygenArgs, ReviewArgs, Verbosity, VerifyArgs};
use crate::commands::{environment, failure, joined, now, operator_file, read_diff};
use crate::receipts::receipts;
use crate::{Exit, Failure, terminal};

/// Where a review's packet goes, and who signs it.
pub(crate) struct Keeping {
    /// The file; none where only a view is wanted.
    file: Option<PathBuf>,
    key: Option<SigningKey>,
    is_result: bool,
}

/// What was written of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing; the result is still to be written.
    Nothing,
    /// The packet; the result is still to be written.
    Beside,
    /// The packet, and it is the result.
    AsTheResult,
}

impl Keeping {
    /// Reads the key before anything is asked or paid.
    ///
    /// # Errors
    /// There is a key and no file; the key cannot be used.
    pub(crate) fn of(args: &ReviewArgs, configured: Option<&Path>) -> Result<Self> {
        let json = args.format == Format::Json;
        let result = args.request.change.output.clone().filter(|_| json);
        let file = args.packet.clone().or_else(|| result.clone());
        let key = match (&args.sign, &file) {
            (Some(_), None) => {
                bail!(
                    "--sign needs a packet to sign: give --packet FILE, or --format json with --output FILE"
                )
            }
            (named, Some(_)) => signing_key(named.as_deref(), configured)?,
            (None, None) => None,
        };
        let is_result = args.packet.is_none() && result.is_some() && key.is_some();
        Ok(Self { file: args.packet.clone().or(result.filter(|_| is_result)), key, is_result })
    }

    /// Who signs, for the views.
    pub(crate) fn seal(&self) -> Seal {
        seal(self.key.as_ref())
    }

    /// Writes the packet, and its signatures beside it.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn keep(&self, packet: &PacketV1, verbosity: Verbosity) -> Result<Kept> {
        let Some(file) = &self.file else { return Ok(Kept::Nothing) };
        let write = |path: &Path, bytes: &[u8]| {
            std::fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
        };
        write(file, &packet.canonical_bytes())?;
        let [ssh, dsse] = beside(file);
        match &self.key {
            Some(key) => {
                let signatures = key.sign(packet)?;
                write(&ssh, signatures.ssh.as_bytes())?;
                write(&dsse, signatures.dsse.as_bytes())?;
            }
            None => remove_stale([&ssh, &dsse])?,
        }
        if verbosity > Verbosity::Quiet {
            let signed = match &self.key {
                Some(key) => format!("signed by {}", key.id()),
                None => "unsigned".to_owned(),
            };
            terminal::say(&format!("packet {} in {}, {signed}", packet.digest().short(), file.display()));
        }
        Ok(if self.is_result { Kept::AsTheResult } else { Kept::Beside })
    }
}

/// The key that an argument names, or else the configuration.
///
/// # Errors
/// It cannot be used.
pub(crate) fn signing_key(named: Option<&Path>, configured: Option<&Path>) -> Result<Option<SigningKey>> {
    named.or(configured).map(SigningKey::read).transpose()
}

/// Who signs, for the views.
pub(crate) fn seal(key: Option<&SigningKey>) -> Seal {
    match key {
        Some(key) => Seal::SignedBy(key.id()),
        None => Seal::Unsigned,
    }
}

/// Removes signatures of an earlier packet, which would say that this one was altered.
///
/// # Errors
/// One is there and cannot be removed.
pub(crate) fn remove_stale(signatures: [&Path; 2]) -> Result<()> {
    for stale in signatures.into_iter().filter(|path| path.symlink_metadata().is_ok()) {
        std::fs::remove_file(stale).with_context(|| format!("could not remove {}", stale.display()))?;
    }
    Ok(())
}

/// Makes a pair of keys.
pub(crate) fn keygen(args: &KeygenArgs) -> Result<Exit, Failure> {
    let path = match &args.output {
        Some(path) => path.clone(),
        None => user_config(&environment)
            .map(|config| config.with_file_name("signing_key"))
            .context("could not find a place for the key: give --output, or set HOME")
            .map_err(Failure::usage)?,
    };
    let key = generate(&path).map_err(Failure::usage)?;
    let (private, public, id) = (key.private.display(), key.public.display(), &key.id);
    let text = format!(
        "private key  {private}\npublic key   {public}\nkey id       {id}\n\nSign with `recuse review --packet FILE --sign \
         {private}`, or `signing_key` in the configuration.\nGive others the public key: `recuse verify FILE --key \
         {public}`.\n"
    );
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// Verifies a packet: 0 if every check holds, 1 if one failed, 3 if none failed and some could not be made.
pub(crate) async fn verify(args: &VerifyArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let read = read_packet(&args.packet).map_err(Failure::usage)?;
    let keys = TrustedKeys::read(&args.keys).map_err(Failure::usage)?;
    let tables = joined(tables, families(args, &read.packet)?.as_deref())?;
    let prompts = Prompts::load(None).map_err(Failure::ours)?;
    let repository = args.repository.as_deref().map(Repository::open).transpose().map_err(Failure::usage)?;
    let receipts = receipts_of(args).await?;
    let diff = args.diff.as_deref().map(|path| read_diff(Some(path))).transpose().map_err(Failure::usage)?;
    let request = VerifyRequest {
        file_name: &args.packet.file_name().unwrap_or_default().to_string_lossy(),
        digest: args.digest.as_ref(),
        against: match (&repository, &diff) {
            (Some(repository), _) => Against::Repository(repository),
            (None, Some(diff)) => Against::Diff(diff),
            (None, None) => Against::Nothing,
        },
        signatures: &signatures(args).map_err(Failure::usage)?,
        keys: &keys,
        receipts: receipts.as_ref(),
        tables: &tables,
        prompts: &prompts,
        version: env!("CARGO_PKG_VERSION"),
        now: now()?,
        read: &read,
    };
    let mut checked = service::verify::verify(&request).await.map_err(failure)?;
    let again = args.repository.as_deref().map(Repository::open).transpose().map_err(Failure::usage)?;
    checked.push(service::verify::replayed(&request, again).await.map_err(failure)?);
    let text = proofs(&read.packet, &read.digest, &checked, verbosity.of_views());
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(exit_code(&checked)))
}

fn exit_code(checked: &[Proof]) -> u8 {
    match checked.iter().map(|proof| proof.state).max() {
        Some(ProofState::Failed) => 1,
        Some(ProofState::NotChecked) | None => 3,
        Some(ProofState::Holds) => 0,
    }
}

/// Reads no more of a file than a packet may have.
pub(crate) fn read_packet(path: &Path) -> Result<ReadPacket> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("could not open {name}"))?;
    let size = file.metadata().with_context(|| format!("could not read {name}"))?.len();
    let mut bytes = Vec::new();
    file.take(MAX_PACKET_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("could not read {name}"))?;
    let found = match bytes.len() as u64 > MAX_PACKET_BYTES {
        true => Err(ReadError::TooLarge { bytes: size.max(bytes.len() as u64) }),
        false => read(&bytes),
    };
    found.map_err(|error| anyhow!("could not read {name}: {error}"))
}

fn signatures(args: &VerifyArgs) -> Result<Vec<SignatureFile>> {
    match args.signatures.as_slice() {
        [] => beside(&args.packet)
            .iter()
            .filter(|path| path.exists())
            .map(|path| SignatureFile::read(path))
            .collect(),
        named => named.iter().map(|path| SignatureFile::read(path)).collect(),
    }
}

/// Where the receipts of a packet are, if somebody says so.
async fn receipts_of(args: &VerifyArgs) -> Result<Option<Receipts>, Failure> {
    match args.receipts.as_deref() {
        None => Ok(None),
        Some(place) if place == Path::new("store") => receipts(None).await.map(Some),
        Some(folder) => receipts(Some(folder)).await.map(Some),
    }
}

/// The operator's own families, where the packet was made with some.
fn families(args: &VerifyArgs, packet: &PacketV1) -> Result<Option<PathBuf>, Failure> {
    let used = packet
        .receipts
        .iter()
        .any(|receipt| receipt.kind == ReceiptKindV1::Table && receipt.name == OWN_FAMILIES);
    match used {
        true => Ok(operator_file(&args.file).map_err(Failure::usage)?.0.lineage.families),
        false => Ok(None),
    }
}

//! Signing packets and checking signatures: Ed25519 keys in OpenSSH's files, SSH signatures that `ssh-keygen -Y verify`
//! accepts, and DSSE envelopes round in-toto Statements.
//!
//! Both signatures stand beside the packet and never in it: its name is the digest of its bytes, whoever signs them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jiff::civil::DateTime;
use review::Digest;
use review::packet::PacketV1;
use review::statement::{PAYLOAD, pre_authentication_encoding, statement};
use review::verify::Proof;
use serde::{Deserialize, Serialize};
use signature::{Signer as _, Verifier as _};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig};

/// What an SSH signature over a packet is for: a signature for anything else is none.
pub const NAMESPACE: &str = "recuse";

/// A key file or a signature is small; whatever is larger is something else.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What signs.
const WANTED: &str = "Ed25519 private key in OpenSSH's form, as `recuse keygen` makes it";

/// A key that signs. It is never printed.
pub struct SigningKey(PrivateKey);

/// The two signatures of one packet.
pub struct Signatures {
    /// As `ssh-keygen -Y sign` writes it; over the packet's canonical bytes.
    pub ssh: String,
    /// The DSSE envelope, as JSON.
    pub dsse: String,
}

impl SigningKey {
    /// Reads a private key as `recuse keygen` or `ssh-keygen -t ed25519` writes it.
    ///
    /// # Errors
    /// It cannot be read; it is no private key, of another kind than Ed25519, protected by a passphrase, or readable by
    /// others.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = read_small(path)?;
        if text.starts_with("ssh-") {
            bail!("could not sign with {name}: it is a public key, and the private one signs");
        }
        let key = PrivateKey::from_openssh(&text)
            .map_err(|error| anyhow!("could not sign with {name}: it is no {WANTED} ({error})"))?;
        if key.algorithm() != Algorithm::Ed25519 {
            bail!("could not sign with {name}: it is no {WANTED}, but one of the kind {}", key.algorithm());
        }
        if key.is_encrypted() {
            bail!(
                "could not sign with {name}: it is protected by a passphrase, which nobody is asked for here"
            );
        }
        private_to_its_owner(path)?;
        Ok(Self(key))
    }

    /// What the key is called in envelopes and lines: its SHA-256 fingerprint, as `ssh-keygen -l` prints it.
    pub fn id(&self) -> String {
        id(self.0.public_key())
    }

    /// Signs a packet.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, packet: &PacketV1) -> Result<Signatures> {
        let wrong = |error: ssh_key::Error| anyhow!("could not sign the packet: {error}");
        let bytes = packet.canonical_bytes();
        let ssh = self.0.sign(NAMESPACE, HashAlg::Sha512, &bytes).map_err(wrong)?;
        let payload = statement(packet, &Digest::of(&bytes));
        let encoded = pre_authentication_encoding(PAYLOAD, &payload);
        let signature: Signature =
            self.0.try_sign(&encoded).map_err(|error| anyhow!("could not sign the statement: {error}"))?;
        let envelope = Envelope {
            payload_type: PAYLOAD.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![EnvelopeSignature {
                keyid: self.id(),
                sig: STANDARD.encode(signature.as_bytes()),
            }],
        };
        let dsse = serde_json::to_string_pretty(&envelope).context("could not write the envelope")?;
        Ok(Signatures { ssh: ssh.to_pem(LineEnding::LF).map_err(wrong)?, dsse: format!("{dsse}\n") })
    }
}

#[cfg(unix)]
fn private_to_its_owner(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).with_context(|| format!("could not look at {}", path.display()))?;
    if mode.permissions().mode() & 0o077 != 0 {
        bail!("could not sign with {0}: others can read it; run `chmod 600 {0}`", path.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_to_its_owner(_: &Path) -> Result<()> {
    Ok(())
}

/// A DSSE envelope, as its specification names the fields.
#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// A new pair of keys was written.
pub struct NewKey {
    /// Where the private key is.
    pub private: PathBuf,
    /// Where the public key is.
    pub public: PathBuf,
    /// What it is called.
    pub id: String,
}

/// Makes a pair of keys and writes it: the private key for its owner only, the public one beside it as `.pub`.
///
/// # Errors
/// One of the files is there already, or cannot be written.
pub fn generate(private: &Path) -> Result<NewKey> {
    let wrong = |error: ssh_key::Error| anyhow!("could not make a key: {error}");
    let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(wrong)?;
    key.set_comment("recuse");
    let mut public = private.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if public.exists() {
        bail!("could not write {}: it is there already", public.display());
    }
    if let Some(folder) = private.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    }
    let pem = key.to_openssh(LineEnding::LF).map_err(wrong)?;
    write_new(private, pem.as_bytes(), 0o600)?;
    let line = key.public_key().to_openssh().map_err(wrong)?;
    write_new(&public, format!("{line}\n").as_bytes(), 0o644)?;
    Ok(NewKey { private: private.to_owned(), public, id: id(key.public_key()) })
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("could not write {}", path.display()))
}

/// A public key that somebody trusts.
struct TrustedKey {
    key: PublicKey,
    /// From when on and until when, as OpenSSH writes it; UTC.
    valid: (Option<DateTime>, Option<DateTime>),
}

/// The keys that somebody trusts: one signature by one of them is enough, so that keys can be changed.
#[derive(Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

impl TrustedKeys {
    /// Reads public keys and files of allowed signers (as git and ssh-keygen read them), one key a line.
    ///
    /// # Errors
    /// A file cannot be read; a line is no key, or a key of another kind than Ed25519; a file has no key for packets.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut keys = Vec::new();
        for path in paths {
            let name = path.display();
            let text = read_small(path)?;
            if text.contains("PRIVATE KEY") {
                bail!("could not use {name} for checking: it is a private key; give the public one");
            }
            let before = keys.len();
            for (number, line) in (1..).zip(text.lines()) {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let key = trusted(line).with_context(|| format!("could not use line {number} of {name}"))?;
                keys.extend(key);
            }
            if keys.len() == before {
                bail!("could not use {name}: it has no key that may sign packets");
            }
        }
        Ok(Self(keys))
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is thought of a key's word on something that says that it was signed `then`.
    ///
    /// Only the packet says when that was, and whoever has a key can date a packet back: a key that is no longer valid
    /// `now` is not simply trusted. Both in seconds since 1970.
    fn trust(&self, key: &PublicKey, then: i64, now: i64) -> Trust {
        let entries = self.0.iter().filter(|trusted| trusted.key.key_data() == key.key_data());
        let of_entry = |trusted: &TrustedKey| match (trusted.is_valid(then), trusted.is_valid(now)) {
            (true, true) => Trust::Full,
            (true, false) => Trust::NoLonger,
            (false, _) => Trust::None,
        };
        entries.map(of_entry).max().unwrap_or(Trust::None)
    }
}

impl TrustedKey {
    fn is_valid(&self, unix_seconds: i64) -> bool {
        let Ok(time) = jiff::Timestamp::from_second(unix_seconds) else { return false };
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        self.valid.0.is_none_or(|after| after <= time) && self.valid.1.is_none_or(|before| time < before)
    }
}

/// What a key's word is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    None,
    /// It was valid when the packet says that it was signed, and is not any more.
    NoLonger,
    Full,
}

/// `KIND KEY [COMMENT]`, or `PRINCIPALS [OPTIONS] KIND KEY [COMMENT]`; nothing for a key that may sign other things only.
fn trusted(line: &str) -> Result<Option<TrustedKey>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_kind = |word: &&str| {
        ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
            && !word.contains('=')
    };
    let kind = words.iter().position(is_kind).context("it holds no OpenSSH public key")?;
    let mut valid = (None, None);
    for option in words.get(1..kind).unwrap_or_default().iter().flat_map(|word| split_options(word)) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" if !value.split(',').any(|namespace| namespace == NAMESPACE) => return Ok(None),
            "namespaces" => {}
            "valid-after" => valid.0 = Some(time(value)?),
            "valid-before" => valid.1 = Some(time(value)?),
            _ => bail!("the option `{name}` is not read here"),
        }
    }
    let key = words[kind..].iter().take(2).copied().collect::<Vec<_>>().join(" ");
    if words[kind] != "ssh-ed25519" {
        bail!("it is a key of the kind {}, and packets are signed with ssh-ed25519", words[kind]);
    }
    let key =
        PublicKey::from_openssh(&key).map_err(|error| anyhow!("it is no OpenSSH public key ({error})"))?;
    Ok(Some(TrustedKey { key, valid }))
}

/// Commas part options where they do not stand in quotes.
fn split_options(word: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (index, character) in word.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&word[begin..index]);
                begin = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&word[begin..]);
    parts
}

/// `YYYYMMDD[HHMM[SS]]Z`. Without the `Z` it would mean another time on each machine.
fn time(text: &str) -> Result<DateTime> {
    let digits =
        text.strip_suffix('Z').with_context(|| format!("the time `{text}` is not in UTC: end it with Z"))?;
    let padded = format!("{digits:0<14}");
    DateTime::strptime("%Y%m%d%H%M%S", &padded)
        .map_err(|_| anyhow!("`{text}` is no time: write YYYYMMDDHHMMSSZ"))
}

/// A signature that stands beside a packet.
pub struct SignatureFile {
    /// What it is called, for people.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl SignatureFile {
    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read, or is too large to be one.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self { name: path.display().to_string(), text: read_small(path)? })
    }
}

/// Where the signatures of a packet are looked for: beside it.
pub fn beside(packet: &Path) -> [PathBuf; 2] {
    ["sig", "dsse.json"].map(|extension| {
        let mut path = packet.as_os_str().to_owned();
        path.push(".");
        path.push(extension);
        path.into()
    })
}

/// Checks one signature over a packet whose canonical form is given. `now` is in seconds since 1970.
pub fn check(
    file: &SignatureFile,
    packet: &PacketV1,
    canonical: &[u8],
    keys: &TrustedKeys,
    now: i64,
) -> Proof {
    let checking = Checking { name: &file.name, packet, canonical, keys, now };
    match file.text.trim_start().starts_with('{') {
        true => checking.envelope(&file.text),
        false => checking.ssh(&file.text),
    }
}

/// The name of the check.
pub const CHECK: &str = "signature";

struct Checking<'a> {
    name: &'a str,
    packet: &'a PacketV1,
    canonical: &'a [u8],
    keys: &'a TrustedKeys,
    now: i64,
}

impl Checking<'_> {
    fn ssh(&self, text: &str) -> Proof {
        let name = self.name;
        let signature = match SshSig::from_pem(text.trim_start()) {
            Ok(signature) => signature,
            Err(error) => {
                return Proof::failed(
                    CHECK,
                    format!("{name} is no SSH signature and no DSSE envelope: {error}"),
                );
            }
        };
        if signature.algorithm() != Algorithm::Ed25519 {
            let why =
                format!("{name} was made with a key of the kind {}, and not Ed25519", signature.algorithm());
            return Proof::failed(CHECK, why);
        }
        if signature.namespace() != NAMESPACE {
            let why =
                format!("{name} is for `{}` and not for `{NAMESPACE}`", signature.namespace().escape_debug());
            return Proof::failed(CHECK, why);
        }
        let key = PublicKey::new(signature.public_key().clone(), "");
        if key.verify(NAMESPACE, self.canonical, &signature).is_err() {
            return Proof::failed(
                CHECK,
                format!("{name} does not fit the packet: it, or the packet, was altered"),
            );
        }
        if self.keys.is_empty() {
            let id = id(&key);
            return Proof::not_checked(
                CHECK,
                format!("{name} fits, by {id}; whose key that is, --key would say"),
            );
        }
        self.by(&key)
    }

    fn envelope(&self, text: &str) -> Proof {
        let name = self.name;
        let envelope: Envelope = match serde_json::from_str(text) {
            Ok(envelope) => envelope,
            Err(error) => return Proof::failed(CHECK, format!("{name} is no DSSE envelope: {error}")),
        };
        let Some(payload) = decode(&envelope.payload) else {
            return Proof::failed(CHECK, format!("the payload of {name} is no base64"));
        };
        if envelope.payload_type != PAYLOAD || payload != statement(self.packet, &Digest::of(self.canonical))
        {
            let why =
                format!("{name} states something else than this packet: it, or the packet, was altered");
            return Proof::failed(CHECK, why);
        }
        if self.keys.is_empty() {
            let ids = envelope.signatures.iter().map(|signature| signature.keyid.escape_debug().to_string());
            let ids = ids.collect::<Vec<_>>().join(", ");
            return Proof::not_checked(
                CHECK,
                format!("{name} is about this packet, and needs --key ({ids})"),
            );
        }
        let encoded = pre_authentication_encoding(&envelope.payload_type, &payload);
        let signed = |key: &PublicKey, signature: &EnvelopeSignature| {
            let bytes = decode(&signature.sig)?;
            let signature = Signature::new(Algorithm::Ed25519, bytes).ok()?;
            key.key_data().verify(&encoded, &signature).ok()
        };
        let keys = self.keys.0.iter().map(|trusted| &trusted.key);
        let signers = keys.filter(|key| envelope.signatures.iter().any(|it| signed(key, it).is_some()));
        match signers.max_by_key(|key| self.trust(key)) {
            Some(key) => self.by(key),
            None => Proof::failed(
                CHECK,
                format!("{name} is not trusted: none of the keys that were given made it"),
            ),
        }
    }

    fn trust(&self, key: &PublicKey) -> Trust {
        self.keys.trust(key, self.packet.run.started_at, self.now)
    }

    /// What follows from a signature that fits.
    fn by(&self, key: &PublicKey) -> Proof {
        let (name, id) = (self.name, id(key));
        match self.trust(key) {
            Trust::Full => Proof::holds(CHECK, format!("{name} by {id}")),
            Trust::NoLonger => Proof::not_checked(
                CHECK,
                format!(
                    "{name} is by {id}, which is no longer valid; it was at the time that the packet states, and who \
                     has a key can state any"
                ),
            ),
            Trust::None => Proof::failed(
                CHECK,
                format!(
                    "{name} is not trusted: it is by {id}, which is none of the keys that were given, or was not valid \
                     at the time of the review"
                ),
            ),
        }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

fn id(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn read_small(path: &Path) -> Result<String> {
    let name = path.display();
    let size = fs::metadata(path).with_context(|| format!("could not read {name}"))?.len();
    if size > MAX_FILE_BYTES {
        bail!("could not use {name}: it has {size} bytes, which no key and no signature has");
    }
    let bytes = fs::read(path).with_context(|| format!("could not read {name}"))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("could not use {name}: it is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_expired_is_not_simply_trusted_for_what_says_that_it_is_older() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        generate(&path("key")).expect("a key");
        generate(&path("other")).expect("a key");
        let line = |name: &str| fs::read_to_string(path(name)).expect("a public key");
        let key = |name: &str| PublicKey::from_openssh(&line(name)).expect("a public key");
        let second = |day: &str| {
            let day: DateTime = day.parse().expect("a day");
            day.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().as_second()
        };
        let year = "ci valid-after=\"20260101Z\",valid-before=\"20270101Z\"";
        let signers = |text: String| {
            fs::write(path("signers"), text).expect("written");
            TrustedKeys::read(&[path("signers")]).expect("allowed signers")
        };
        let of_year = signers(format!("{year} {}", line("key.pub")));
        let forever = signers(format!("{year} {}ci {}", line("key.pub"), line("key.pub")));
        for (then, now, expected) in [
            ("2026-06-01", "2026-06-02", Trust::Full),
            ("2026-06-01", "2028-06-01", Trust::NoLonger),
            ("2025-06-01", "2026-06-01", Trust::None),
            ("2027-06-01", "2027-06-01", Trust::None),
        ] {
            let (then, now) = (second(then), second(now));
            assert_eq!(of_year.trust(&key("key.pub"), then, now), expected, "{then} {now}");
            assert_eq!(forever.trust(&key("key.pub"), then, now), Trust::Full);
            assert_eq!(forever.trust(&key("other.pub"), then, now), Trust::None);
        }
    }
}

//! A git server over http on the loopback, which hands requests to `git http-backend`, and can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use review::CommitId;

/// What a server does when objects are asked of it.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// It gives them.
    Honest,
    /// It never answers.
    Hang,
    /// It closes the connection in the middle of the answer.
    CutOff,
    /// It sends one object that has no end.
    Endless,
    /// It talks without an end, and sends nothing.
    Talk,
    /// It lists references without an end.
    List,
    /// It asks for the first commit to be fetched from its own repository, instead of the second.
    Exchange(CommitId, CommitId),
    /// It sends everybody elsewhere.
    Redirect(String),
    /// It refuses, and repeats what it was sent.
    Refuse,
}

/// Listens until the test's process ends.
pub(crate) struct Server {
    pub(crate) url: String,
    /// The heads of all requests, in lowercase.
    requests: Arc<Mutex<Vec<String>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Server {
    /// Serves the repository at a path as `/acme/shop.git`.
    pub(crate) fn start(repository: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/acme/shop.git", listener.local_addr().expect("it is bound"));
        let (requests, manner) = (Arc::default(), Arc::new(Mutex::new(Manner::Honest)));
        let server = Self { url, requests: Arc::clone(&requests), manner: Arc::clone(&manner) };
        let repository = repository.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, manner) = (Arc::clone(&requests), Arc::clone(&manner));
                let repository = repository.clone();
                thread::spawn(move || {
                    let stream = stream.expect("the listener works");
                    let Some(request) = Request::read(&stream) else { return };
                    requests.lock().expect("no panic").push(request.head.to_lowercase());
                    let manner = manner.lock().expect("no panic").clone();
                    // The client may be gone already, and often is on purpose.
                    let _ = answer(&stream, &request, &repository, &manner);
                });
            }
        });
        server
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
    }

    /// The heads of all requests until now, in lowercase.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Self { head, body: Vec::new() };
        // git sends bodies as short as these in one piece.
        let length = request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        request.body.resize(length, 0);
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether it asks for objects.
    fn is_fetch(&self) -> bool {
        self.body.windows(13).any(|window| window == b"command=fetch")
    }

    /// Whether it asks for names.
    fn is_list(&self) -> bool {
        self.body.windows(15).any(|window| window == b"command=ls-refs")
    }
}

fn answer(stream: &TcpStream, request: &Request, repository: &Path, manner: &Manner) -> std::io::Result<()> {
    let mut stream = stream;
    match manner {
        Manner::Honest => stream.write_all(&backend(request, &request.body, repository)),
        Manner::Hang => {
            // Until the client closes.
            stream.read_to_end(&mut Vec::new()).map(drop)
        }
        Manner::CutOff if request.is_fetch() => {
            let answer = backend(request, &request.body, repository);
            stream.write_all(&answer[..answer.len() * 2 / 3])
        }
        Manner::Endless if request.is_fetch() => endless(stream),
        Manner::Talk if request.is_fetch() => {
            stream.write_all(RESULT_HEAD)?;
            stream.write_all(PACK_BEGIN)?;
            loop {
                stream.write_all(&packet(2, &[b'x'; 900]))?;
            }
        }
        Manner::List if request.is_list() => {
            stream.write_all(RESULT_HEAD)?;
            loop {
                stream.write_all(b"003d1234567890123456789012345678901234567890 refs/heads/main\n")?;
            }
        }
        Manner::Exchange(served, wanted) if request.is_fetch() => {
            let body = String::from_utf8_lossy(&request.body).replace(wanted.as_str(), served.as_str());
            stream.write_all(&backend(request, body.as_bytes(), repository))
        }
        Manner::Redirect(to) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Manner::Refuse => {
            let body = format!("you sent {}\n", request.header("authorization").unwrap_or_default());
            let status = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close";
            write!(stream, "{status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
        Manner::CutOff | Manner::Endless | Manner::Talk | Manner::List | Manner::Exchange(..) => {
            stream.write_all(&backend(request, &request.body, repository))
        }
    }
}

/// The head of an answer of the protocol.
const RESULT_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nConnection: close\r\n\r\n";

/// What comes before the bytes of a pack.
const PACK_BEGIN: &[u8] = b"0011shallow-info\n0001000dpackfile\n";

/// Bytes on a channel of an answer: 1 is the pack, 2 is talk.
fn packet(channel: u8, bytes: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", bytes.len() + 5).into_bytes();
    packet.push(channel);
    packet.extend_from_slice(bytes);
    packet
}

fn endless(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(RESULT_HEAD)?;
    stream.write_all(PACK_BEGIN)?;
    // One object: a file of 2^46 bytes, not compressed.
    let mut begin = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    begin.extend([0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x78, 0x01]);
    stream.write_all(&packet(1, &begin))?;
    let block = [&[0_u8, 0xe8, 0xfd, 0x17, 0x02][..], &[b'x'; 0xfde8]].concat();
    loop {
        stream.write_all(&packet(1, &block))?;
    }
}

/// What `git http-backend` answers.
fn backend(request: &Request, body: &[u8], repository: &Path) -> Vec<u8> {
    let mut line = request.head.split_whitespace();
    let (method, target) = (line.next().expect("a method"), line.next().expect("a target"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let inside = path.strip_prefix("/acme/shop.git").expect("it is asked for the one repository");
    let root: PathBuf = repository.to_owned();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", inside)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git is installed");
    child.stdin.take().expect("it is a pipe").write_all(body).expect("it reads its request");
    let answer = child.wait_with_output().expect("it ends").stdout;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("it answers with a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let length = answer.len() - end - 4;
    let whole =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n\r\n");
    [whole.into_bytes(), answer[end + 4..].to_vec()].concat()
}

//! A server of releases on loopback, which answers every archive and every checksum as it was told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With all of this.
    Whole(Vec<u8>),
    /// With the first half of this, and then it hangs up.
    CutOff(Vec<u8>),
    /// With 404.
    Missing,
}

/// Dropping it ends it.
pub struct ReleaseServer {
    address: SocketAddr,
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    serving: Option<JoinHandle<()>>,
}

impl ReleaseServer {
    /// Starts one with these two files in every release.
    pub fn start(checksum: Answer, archive: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let serving = thread::spawn(move || {
            while let Some((path, stream)) = request(&listener) {
                let answer = if path.ends_with(".sha256") { &checksum } else { &archive };
                heard.lock().unwrap().push(path);
                // A client may have hung up.
                let _sent = send(stream, answer);
            }
        });
        Self { address, url: format!("http://{address}"), asked, serving: Some(serving) }
    }

    /// Its URL, without a `/` at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The paths that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for ReleaseServer {
    fn drop(&mut self) {
        // A connection without a request ends it.
        drop(TcpStream::connect(self.address));
        self.serving.take().map(JoinHandle::join);
    }
}

/// The next request's path; none when the connection brings no request.
fn request(listener: &TcpListener) -> Option<(String, TcpStream)> {
    let (stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    lines.find(String::is_empty)?;
    Some((path, stream))
}

fn send(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let (status, length, body): (_, _, &[u8]) = match answer {
        Answer::Whole(body) => ("200 OK", body.len(), body),
        Answer::CutOff(body) => ("200 OK", body.len(), &body[..body.len() / 2]),
        Answer::Missing => ("404 Not Found", 0, &[]),
    };
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")?;
    stream.write_all(body)
}

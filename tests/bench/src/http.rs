//! A small HTTP/1.1 server with a thread per connection. Bodies need a content-length.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    /// Of the whole request, as it came.
    pub(crate) bytes: usize,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Empty if the header is missing. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = 0;
        let Some(first) = line(stream, &mut bytes)? else { return Ok(None) };
        let mut parts = first.split(' ').map(str::to_owned);
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut headers = Vec::new();
        while let Some(header) = line(stream, &mut bytes)?.filter(|header| !header.is_empty()) {
            let (name, value) = header.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, path, body: Vec::new(), bytes, headers };
        if !request.header("transfer-encoding").is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a body without content-length",
            ));
        }
        request.body = vec![0; request.header("content-length").parse().unwrap_or_default()];
        stream.read_exact(&mut request.body)?;
        request.bytes += request.body.len();
        Ok(Some(request))
    }
}

/// Returns none at the end of the stream. Adds to `bytes`.
fn line(stream: &mut impl BufRead, bytes: &mut usize) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line)?;
    *bytes += read;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Besides content-type and content-length.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// The whole response, as it is sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} -\r\ncontent-type: application/json\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// One call to `write_all`, so that small responses fit in one packet.
    fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        stream.write_all(&self.to_bytes())?;
        stream.flush()
    }
}

type Answer = dyn Fn(&Request) -> Response + Send + Sync;

/// Serves on a free local port until the process ends.
pub(crate) fn serve<F>(answer: F) -> io::Result<SocketAddr>
where
    F: Fn(&Request) -> Response + Send + Sync + 'static,
{
    accept(move |stream| serve_connection(stream, &answer))
}

/// As [`serve`], over TLS.
pub(crate) fn serve_tls<F>(config: Arc<ServerConfig>, answer: F) -> io::Result<SocketAddr>
where
    F: Fn(&Request) -> Response + Send + Sync + 'static,
{
    accept(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        serve_connection(StreamOwned::new(session, stream), &answer)
    })
}

fn accept<F>(handle: F) -> io::Result<SocketAddr>
where
    F: Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            thread::spawn(move || {
                stream.set_nodelay(true)?;
                handle(stream)
            });
        }
    });
    Ok(address)
}

fn serve_connection(stream: impl Read + Write, answer: &Answer) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    while let Some(request) = Request::read(&mut stream)? {
        answer(&request).write(stream.get_mut())?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_several_requests_of_one_connection() {
        let mut stream: &[u8] =
            b"POST /a?b HTTP/1.1\r\nX-Amz-Target: T\r\nContent-Length: 2\r\n\r\n{}\
              GET /c HTTP/1.1\r\n\r\n";
        let first = Request::read(&mut stream).unwrap().unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/a?b"));
        assert_eq!((first.header("x-amz-target"), first.body.as_slice()), ("T", b"{}".as_slice()));
        assert_eq!(first.bytes, 60);
        assert_eq!(Request::read(&mut stream).unwrap().unwrap().path, "/c");
        assert!(Request::read(&mut stream).unwrap().is_none());
    }

    #[test]
    fn rejects_a_body_without_content_length() {
        let mut stream: &[u8] = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        assert!(Request::read(&mut stream).is_err());
    }
}

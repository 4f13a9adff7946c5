//! One request of HTTP/1.1 over a stream that is closed afterwards, and its answer.
//!
//! Enough for a daemon on the same machine: no redirections, no compression, bounds everywhere.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The longest answer: the status of a tailnet of 100,000 nodes with long signatures.
const MAX_BODY: u64 = 512 << 20;

/// The longest line of a head, and the most lines.
const MAX_LINE: u64 = 16 * 1024;
const MAX_LINES: usize = 200;

/// What was answered.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    /// 200 where all went well.
    pub(crate) status: u16,
    /// Its content.
    pub(crate) body: Vec<u8>,
}

/// Asks once. `headers` are whole lines without their ends.
pub(crate) fn ask(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &[&str],
    body: Option<&[u8]>,
) -> io::Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.unwrap_or_default())?;
    stream.flush()?;
    answer(&mut BufReader::new(stream))
}

fn answer(from: &mut impl BufRead) -> io::Result<Answer> {
    let first = line(from)?;
    let status = first.strip_prefix("HTTP/1.").and_then(|it| it.split(' ').nth(1));
    let status: u16 = status.and_then(|it| it.parse().ok()).ok_or_else(garbled)?;
    let (mut length, mut chunked) = (None, false);
    for count in 0.. {
        let line = line(from)?;
        if line.is_empty() {
            break;
        }
        if count > MAX_LINES {
            return Err(garbled());
        }
        let Some((name, value)) = line.split_once(':') else { return Err(garbled()) };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<u64>().map_err(|_| garbled())?);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    if status == 100 {
        return answer(from);
    }
    let mut body = Vec::new();
    if chunked {
        chunks(from, &mut body)?;
    } else {
        let limit = length.unwrap_or(MAX_BODY);
        if limit > MAX_BODY {
            return Err(garbled());
        }
        let read = from.take(limit).read_to_end(&mut body)?;
        if length.is_some_and(|it| it != read as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer { status, body })
}

fn chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(from)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| garbled())?;
        if size == 0 {
            return Ok(());
        }
        if size.saturating_add(body.len() as u64) > MAX_BODY {
            return Err(garbled());
        }
        if from.by_ref().take(size).read_to_end(body)? as u64 != size || !line(from)?.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A line without its end.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(garbled());
    }
    line.pop_if(|it| *it == b'\r');
    String::from_utf8(line).map_err(|_| garbled())
}

fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is not understood")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Answer> {
        answer(&mut text.as_bytes())
    }

    #[test]
    fn bodies_of_every_kind_are_read() {
        let body = |it: &str| Answer { status: 200, body: it.as_bytes().to_vec() };
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!").unwrap(), body("hi"));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;x\r\n!\r\n0\r\n\r\n";
        assert_eq!(read(chunked).unwrap(), body("hi!"));
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\nall of it").unwrap(), body("all of it"));
        assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n").unwrap().status, 204);
    }

    #[test]
    fn what_ends_early_is_no_answer() {
        for text in [
            "",
            "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}

"""Requests whose framing two servers may read differently: each a first request that could hide a second one, or lose a line
that a proxy wrote. A compact table of tricks, multiplied out."""
MUMBAI, LONDON = "192.0.2.1", "198.51.100.17"

HIDDEN = f"GET /widget.txt HTTP/1.1\r\nHost: hidden\r\nX-Forwarded-For: {LONDON}\r\n\r\n".encode()
LENGTH = str(len(HIDDEN))
PROXY_LINE = f"X-Forwarded-For: {MUMBAI}\r\n".encode()
BEFORE, AFTER = b"GET /widget.json HTTP/1.1\r\nHost: first\r\n", PROXY_LINE + b"\r\n"
BODIES = {"plain": HIDDEN, "chunked": b"0\r\n\r\n" + HIDDEN}

# How a header's name is written, so that some read it as that header and some do not.
NAMES = ["{}", "{} ", "{}  ", " {}", "\t{}", "{}\t", "{}\0", "\0{}", "\x0b{}", "{}\x0b", "\r{}", "{}\r", ":{}", "\x80{}", "X: y\n{}",
         "X: y\r{}", "X: y\r\n {}", "X: y\r\n\t{}", "X: y\0\r\n{}", "A: b\r\n\xff: c\r\n{}"]
LENGTHS = [LENGTH, "+" + LENGTH, "-" + LENGTH, " " + LENGTH, LENGTH + " ", "0x" + hex(len(HIDDEN))[2:], "0" + LENGTH, LENGTH + ".0",
           LENGTH + ";", LENGTH + ",", f"{LENGTH},{LENGTH}", f"{LENGTH}, 0", "0, " + LENGTH, f'"{LENGTH}"', LENGTH + "\0", "\0" + LENGTH,
           "\x0b" + LENGTH, LENGTH + "\x0c", LENGTH + "\xa0", "\xb2", "1e2", "00", "+0", "-0", "0 0", "", "x", str(2 ** 31 - 1),
           str(2 ** 32 + len(HIDDEN)), str(2 ** 63), str(2 ** 64), str(2 ** 64 + len(HIDDEN))]
CODINGS = ["chunked", "Chunked", "CHUNKED", " chunked", "chunked ", "\tchunked", "chunked\t", "\x0bchunked", "chunked\x0b", "chunked\0",
           "\0chunked", "chunked\xa0", "xchunked", "chunkedx", "chunk", "chunked,", ",chunked", "chunked, identity",
           "identity, chunked", "identity", "chunked, chunked", "gzip, chunked", "chunked, gzip", "chunked;q=1", '"chunked"',
           "'chunked'", "trailers", "", "\r\n chunked", "x\r\n chunked"]
OTHER_LINES = {  # whole lines
    "two lengths": f"Content-Length: 0\r\nContent-Length: {LENGTH}",
    "two lengths, turned": f"Content-Length: {LENGTH}\r\nContent-Length: 0",
    "lengths in two cases": f"content-length: 0\r\nCONTENT-LENGTH: {LENGTH}",
    "length and coding": "Content-Length: 0\r\nTransfer-Encoding: chunked",
    "coding and length": f"Transfer-Encoding: chunked\r\nContent-Length: {LENGTH}",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "two codings, turned": "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "fold before a length": f"X: y\r\n z\r\nContent-Length: {LENGTH}",
    "no name": f": y\r\nContent-Length: {LENGTH}",
    "no colon": f"X\r\nContent-Length: {LENGTH}",
    "space for a colon": f"X y\r\nContent-Length: {LENGTH}",
    "8-bit name": f"\xe9: y\r\nContent-Length: {LENGTH}",
    "8-bit line": f"\x80\r\nContent-Length: {LENGTH}",
    "NUL": f"X: y\0z\r\nContent-Length: {LENGTH}",
    "bare CR": f"X: y\rContent-Length: {LENGTH}",
    "bare LF": f"X: y\nContent-Length: {LENGTH}",
    "CR CR LF": f"X: y\r\r\nContent-Length: {LENGTH}",
    "LF CR": f"X: y\n\rContent-Length: {LENGTH}",
    "a second Host": "Host: second",
    "Host in another case": "hOsT: second",
    "Host with a space": "Host : second",
    "a folded Host": "Host:\r\n second",
    "expects": f"Expect: 100-continue\r\nContent-Length: {LENGTH}",
    "connection names the length": f"Connection: close, Content-Length\r\nContent-Length: {LENGTH}",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==",
    "HTTP/2": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "upgrade to what nobody has": "Connection: upgrade\r\nUpgrade: TLS/1.3",
    "upgrade and no Connection": "Upgrade: h2c",
    "connection that upgrades to nothing": "Connection: upgrade",
    "closes": "Connection: close",
    "closes in another case": "connection: CLOSE",
    "an odd Connection": "Connection: x",
    "two Connections": "Connection: keep-alive\r\nConnection: close",
}
FIRST_LINES = ["GET /widget.json", "GET /widget.json HTTP/0.9", "GET /widget.json HTTP/1.0", "GET /widget.json HTTP/1.2",
               "GET /widget.json HTTP/2.0", "GET /widget.json HTTP/1.10", "GET /widget.json HTTP/01.1", "GET /widget.json http/1.1",
               "GET /widget.json HTTP/ 1.1", "GET /widget.json HTTP/1.1 ", "GET  /widget.json HTTP/1.1", "GET /widget.json  HTTP/1.1",
               "GET\t/widget.json HTTP/1.1", "GET /widget.json\tHTTP/1.1", "GET\r/widget.json HTTP/1.1", "GET \n/widget.json HTTP/1.1",
               "GET \r\n/widget.json HTTP/1.1", "GET /widget.json \r\nHTTP/1.1", "GET /widget.json HTTP/1.1\n ", "GET /widget.json HTTP/1.1\r",
               " GET /widget.json HTTP/1.1", "\tGET /widget.json HTTP/1.1", "\0GET /widget.json HTTP/1.1", "GET widget.json HTTP/1.1",
               "GET http://first/widget.json HTTP/1.1", "GET http://first HTTP/1.1", "GET https://first/widget.json HTTP/1.1",
               "GET //first/widget.json HTTP/1.1", "GET * HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT first:80 HTTP/1.1",
               "TRACE /widget.json HTTP/1.1", "PRI * HTTP/2.0", "get /widget.json HTTP/1.1", "GET\xa0/widget.json HTTP/1.1",
               "GET /widget.json\0 HTTP/1.1", "GET /widget.json#x HTTP/1.1 HTTP/1.1", "GET / widget.json HTTP/1.1", "POST /widget.json HTTP/1.1",
               "HTTP/1.1 200 OK", "GET", "", "\x80 /widget.json HTTP/1.1", "QUERY /widget.json HTTP/1.1"]
BLANKS = ["\r\n", "\r\n\r\n", "\n", "\n\n", "\r\n" * 8, "\r\n" * 100, " \r\n\r\n", "\r\n \r\n", "\r\r\n\n", "\n\r\n", "\r\n\n", "\0\r\n\r\n", "\x0b\r\n\r\n"]
ENDS = ["\n", "\n\n", "\n\r\n", "\r\n\n", "\r\r\n", "\r\n\r", "\r", "\r\n \r\n\r\n", "\r\n\t\r\n\r\n", "\r\n\0\r\n\r\n", "\r\n:\r\n\r\n", "\r\n\x80\r\n\r\n"]


def vectors():
    """{name: bytes}: none of them may be answered twice."""
    made = {}

    def add(name, data):
        if data not in made.values():
            made[name] = data if isinstance(data, bytes) else data.encode("latin-1")

    def with_line(name, line, body, after=AFTER):
        add(name, BEFORE + line.encode("latin-1") + b"\r\n" + after + body)

    for length in LENGTHS:
        with_line(f"length {length!r}", "Content-Length: " + length, HIDDEN)
    for coding in CODINGS:
        with_line(f"coding {coding!r}", "Transfer-Encoding: " + coding, BODIES["chunked"])
    for spelling in NAMES:
        for header, values, body in (("Content-Length", LENGTHS[:9], "plain"), ("content-length", LENGTHS[:4], "plain"),
                                     ("Transfer-Encoding", CODINGS[:9], "chunked"), ("TRANSFER-ENCODING", CODINGS[:4], "chunked"),
                                     ("Transfer-Encoding", CODINGS[:2], "plain")):
            for value in values:
                with_line(f"{header} as {spelling!r} with {value!r}, {body} body", f"{spelling.format(header)}: {value}", BODIES[body])
    for name, line in OTHER_LINES.items():
        for kind, body in BODIES.items():
            with_line(f"{name}, {kind} body", line, body)
            add(f"{name} at first, {kind} body", b"GET /widget.json HTTP/1.1\r\n" + line.encode("latin-1") + b"\r\nHost: first\r\n" + AFTER + body)
    for count in (62, 63, 64, 65, 66, 100):
        filler = "".join(f"X-{i}: y\r\n" for i in range(count))
        with_line(f"{count} lines before a length", filler + "Content-Length: " + LENGTH, HIDDEN)
        with_line(f"{count} lines before a coding", filler + "Transfer-Encoding: chunked", BODIES["chunked"])
    for line in FIRST_LINES:
        add(f"first line {line!r}", line.encode("latin-1") + b"\r\nHost: first\r\nConnection: close\r\n" + AFTER + HIDDEN)
        add(f"first line {line!r}, with a length",
            line.encode("latin-1") + b"\r\nHost: first\r\nContent-Length: " + LENGTH.encode() + b"\r\n" + AFTER + HIDDEN)
    for blank in BLANKS:
        add(f"after {blank!r}", blank.encode("latin-1") + BEFORE + AFTER)
        add(f"after {blank!r}, not whole", blank.encode("latin-1") + BEFORE)
    for end in ENDS:
        head = BEFORE + PROXY_LINE[:-2] + end.encode("latin-1")
        add(f"ends with {end!r}", head + b"Content-Length: " + LENGTH.encode() + b"\r\n\r\n" + HIDDEN)
    return made

"""The page of a run that goes on, served to browsers on this machine: the picture as it grows, costs, time left.

The run tells a LiveView what it does; the server's threads read that, encode pictures and answer. From the disk comes
nothing: there is a fixed table of what may be asked for.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import jpeg_bytes, preview
from nst.report.chart import make_chart
from nst.report.live_view import LARGEST_SHARE, LiveView
from nst.report.pages import TEMPLATES, environment
from nst.report.sources import title_of
from nst.system.atomic_files import read_text
from nst.system.signals import deferred

HOST = "127.0.0.1"
LARGEST_PX = 768
MOST_STYLES = 4  # that are shown
MOST_CONNECTIONS = 32
SECONDS_TO_READ = 10  # a request
SECONDS_TO_WAIT = 15  # for a change, before the same is told again
SECONDS_AT_END = 1.0  # in which a browser that watches gets the last picture
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Server(http.server.ThreadingHTTPServer):
    """Answers for the pages, pictures and states of a LiveView."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = os.name != "nt"  # where it would let two servers share a port

    def __init__(self, live: LiveView, host: str, port: int) -> None:
        self.live = live
        self.host = host
        self.counting = threading.Lock()
        self.requests = 0  # that are being answered
        self.encoding = threading.Lock()
        self.encoded: dict[str, tuple[int, bytes]] = {}  # path -> version and file
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.address_family = family
        super().__init__(address[:2], Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind without the look-up of a name that http.server makes, which may ask the network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    @property
    def url(self) -> str:
        """Return the address to open; of a server for all interfaces, the one on this machine."""
        address, port = self.server_address[:2]
        host = str(address)
        if _is_address(host) and ipaddress.ip_address(host).is_unspecified:
            host = "::1" if ":" in host else HOST
        return f"http://{_bracketed(host)}:{port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, if there are not too many."""
        if self.requests >= MOST_CONNECTIONS:
            self.shutdown_request(request)
            return
        with self.counting:
            self.requests += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.counting:
                self.requests -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over browsers that went away; what else goes wrong is our bug."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def page(self) -> bytes:
        """Return the page itself, into which its script brings what changes."""
        return environment().get_template("live.html").render().encode()

    def style(self) -> bytes:
        """Return the style of all pages."""
        return read_text(TEMPLATES / "page.css").encode()

    def script(self) -> bytes:
        """Return the script of all pages, and that of this one."""
        return "".join(read_text(TEMPLATES / name) for name in ("page.js", "live.js")).encode()

    def state(self, after: int = -1) -> bytes:
        """Return what is to be seen, once it is not `after` any more, or after a while."""
        live = self.live
        with live.changed:
            live.wanted = True
            live.changed.wait_for(lambda: live.version != after or live.over, SECONDS_TO_WAIT)
            if after >= 0:  # a page, which asks again
                live.asked, live.seen = time.monotonic(), live.version
            last = live.steps[-1] if live.steps else None
            sources = live.sources
            content, styles = title_of(sources) if sources else ("", [])
            told = {
                "version": live.version,
                "run": live.run,
                "place": live.place,
                "state": live.state,
                "over": live.over,
                "content": content,
                "styles": styles,
                "shown_styles": min(len(styles), MOST_STYLES),
                "step": last.number if last else 0,
                "steps": sources.steps if sources else 0,
                "size": list(last.size) if last else None,
                "costs": last.costs if last else {},
                "seconds": last.seconds if last else 0,
                "seconds_left": live.seconds_left,
                "picture": live.image_version,
            }
        return json.dumps(told).encode()

    def costs(self) -> bytes:
        """Return the chart of the costs, as markup."""
        live = self.live
        steps, planned = list(live.steps), live.sources.steps if live.sources else 0
        if not steps:
            return b""
        return environment().get_template("costs.html").render(chart=make_chart(steps, planned)).encode()

    def picture(self) -> bytes:
        """Return the picture so far, or nothing where there is none. All browsers share one file."""
        live = self.live
        with live.changed:
            image, version = live.image, live.image_version
        if image is None:
            return b""
        began = time.monotonic()
        file = self._encoded("picture", image, version)
        live.due = max(live.due, time.monotonic() + (time.monotonic() - began) / LARGEST_SHARE)
        live.seen_image = version
        return file

    def source(self, index: int) -> bytes:
        """Return the photo, 0, or one of the styles."""
        with self.live.changed:
            sources, run = self.live.sources, self.live.run
        images = [named.image for named in (sources.content, *sources.styles)] if sources else []
        return self._encoded(f"source {index}", images[index], run) if index < len(images) else b""

    def _encoded(self, name: str, image: np.ndarray, version: int) -> bytes:
        with self.encoding:
            if self.encoded.get(name, (None, b""))[0] != version:
                self.encoded[name] = version, jpeg_bytes(preview(image, LARGEST_PX))
            return self.encoded[name][1]


# path -> type, and what makes the content
TABLE: dict[str, tuple[str, Callable[[Server], bytes]]] = {
    "/": ("text/html; charset=utf-8", Server.page),
    "/page.css": ("text/css; charset=utf-8", Server.style),
    "/page.js": ("text/javascript; charset=utf-8", Server.script),
    "/state.json": ("application/json", Server.state),
    "/costs.html": ("text/html; charset=utf-8", Server.costs),
    "/picture.jpg": ("image/jpeg", Server.picture),
    "/content.jpg": ("image/jpeg", lambda server: server.source(0)),
    **{
        f"/style_{number}.jpg": ("image/jpeg", lambda server, number=number: server.source(number))  # type: ignore[misc]
        for number in range(1, MOST_STYLES + 1)
    },
}


class Handler(http.server.BaseHTTPRequestHandler):
    """One request. Whatever is not in the table, or not asked for under the server's own address, is refused."""

    server: Server
    server_version, sys_version = "neural_art", ""
    timeout = SECONDS_TO_READ

    def do_GET(self) -> None:
        """Answer with what the table has, if the request is one of this machine's browsers under its own address."""
        path, _, query = self.path.partition("?")
        if not self._is_own_host():
            self.send_error(HTTPStatus.FORBIDDEN)
        elif path not in TABLE:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif path == "/state.json" and query.startswith("after=") and query[6:].isascii() and query[6:].isdigit():
            self._send(HTTPStatus.OK, TABLE[path][0], self.server.state(int(query[6:18])))
        else:
            kind, content = TABLE[path]
            found = content(self.server)
            missing = kind == "image/jpeg" and not found
            self._send(HTTPStatus.NOT_FOUND if missing else HTTPStatus.OK, kind, found)

    do_HEAD = do_GET  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in as few words as possible; a method that there is not, as HTTP wants it."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._send(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _is_own_host(self) -> bool:
        """Return whether the browser asks for this server by an own name; a name that only leads here is another's."""
        address, port = self.connection.getsockname()[:2]
        names = {_bracketed(name.lower()) for name in (address.partition("%")[0], "localhost", self.server.host)}
        given = [host.strip().lower() for host in self.headers.get_all("Host", [])]
        own = {f"{name}:{port}" for name in names} | (names if port == 80 else set())
        return len(given) == 1 and given[0] in own


@contextmanager
def served(host: str = HOST, port: int = 0) -> Iterator[tuple[LiveView, str]]:
    """Serve on a port, or a free one for 0; yield what to tell of the run, and the address. Raises UserError.

    At the end a browser that watches still gets the last picture, if it asks within a second.
    """
    if not 0 <= port <= 65535:
        raise UserError(f"--watch-port {port}: must be from 0, for a free one, to 65535")
    live = LiveView()
    try:
        server = Server(live, host, port)
    except (OSError, UnicodeError) as error:  # the latter for what is no name of a machine
        words = getattr(error, "strerror", None) or error
        raise UserError(
            f"--watch-host {host}, --watch-port {port}: {words}; give others, or none for a free port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield live, server.url
    finally:
        with deferred() as signalled:
            live.close()
            until = time.monotonic() + SECONDS_AT_END
            while not (live.has_been_seen and not server.requests) and time.monotonic() < until and not signalled():
                time.sleep(0.02)
            server.shutdown()
            server.server_close()
            thread.join()


def _bracketed(host: str) -> str:
    """Return a host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""The server of the live view: the picture so far, the costs and the time left of a run, for browsers on this machine.

The run writes a LiveView; the server's threads read the view, encode its pictures and answer requests. A fixed table
lists all paths, so that no request can reach a file on the disk.
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
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import numpy as np

from nst.errors import UserError, os_error_reason
from nst.pictures.picture_files import jpeg_bytes, preview
from nst.report.chart import make_chart
from nst.report.live_view import LARGEST_SHARE, LiveView
from nst.report.pages import SCRIPTS, TEMPLATES, environment
from nst.report.sources import title_of
from nst.system.atomic_files import read_text
from nst.system.signals import deferred

HOST = "127.0.0.1"
LARGEST_PX = 768  # The long side of the largest picture that is sent.
MOST_STYLES = 4  # The largest number of styles that the page shows.
MOST_CONNECTIONS = 32
SECONDS_TO_READ = 10  # The time limit for reading a request.
SECONDS_TO_WAIT = 15  # The longest wait for a change, before the same state is sent again.
SECONDS_OF_REQUEST = 40.0  # The longest time from a request's first byte to the last one of its answer.
SECONDS_AT_END = 1.0  # The time at the end in which a watching browser may fetch the last picture and chart.
SECONDS_BETWEEN_LOOKS = 0.1  # The pause between two looks of the server for its own end.
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
    """Serve the page of a LiveView, its state and its pictures."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = os.name != "nt"  # On Windows, two servers could then share a port.

    def __init__(self, live: LiveView, host: str, port: int) -> None:
        self.live = live
        self.host = host
        self.counting = threading.Lock()
        self.requests = 0  # The number of requests that are being answered.
        self.begun: dict[Any, float] = {}  # The time at which each request began.
        self.encoding = threading.Lock()
        self.encoded: dict[str, tuple[np.ndarray, bytes]] = {}  # Name of a picture -> the image and its payload.
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.address_family = family
        super().__init__(address[:2], Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind without the name look-up of http.server, which may ask the network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    @property
    def url(self) -> str:
        """Return the address to open in a browser; for a server on all interfaces, the address on this machine."""
        address, port = self.server_address[:2]
        host = str(address)
        if _is_address(host) and ipaddress.ip_address(host).is_unspecified:
            host = "::1" if ":" in host else HOST
        return f"http://{_bracketed(host)}:{port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or refuse where too many threads are answering."""
        if self.requests >= MOST_CONNECTIONS:
            self.shutdown_request(request)
            return
        with self.counting:
            self.requests += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room for the next request; hang up where a client takes too long, byte by byte."""
        self.begun[request] = time.monotonic()
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self.begun[request]
            with self.counting:
                self.requests -= 1

    def service_actions(self) -> None:
        """Hang up on clients that take too long; the server calls this between its looks."""
        for request, began in list(self.begun.items()):
            if time.monotonic() > began + SECONDS_OF_REQUEST:
                _hang_up(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that has gone; any other error is our bug and is printed."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def page(self) -> bytes:
        """Return the page itself; its script fills in the state."""
        return environment().get_template("live.html").render().encode()

    def style(self) -> bytes:
        """Return the style sheet of all pages."""
        return read_text(TEMPLATES / "page.css").encode()

    def script(self) -> bytes:
        """Return the script of all pages and the script of this page."""
        return "".join(read_text(TEMPLATES / name) for name in (*SCRIPTS, "live.js")).encode()

    def state(self, after: int = -1) -> bytes:
        """Return the state as JSON, once its version is not `after` any more, or after SECONDS_TO_WAIT."""
        live = self.live
        with live.changed:
            live.wanted = True
            live.changed.wait_for(lambda: live.version != after or live.over, SECONDS_TO_WAIT)
            if after >= 0:  # The page, which asks with the version that it shows.
                live.asked, live.shown = time.monotonic(), after
            state = _state_of(live)
        return json.dumps(state).encode()

    def costs(self) -> bytes:
        """Return the chart of the costs as markup, or nothing before the first step."""
        live = self.live
        steps, planned = list(live.steps), live.sources.steps if live.sources else 0
        if not steps or not steps[-1].costs:  # The frames of a clip have none.
            return b""
        return environment().get_template("costs.html").render(chart=make_chart(steps, planned)).encode()

    def picture(self) -> bytes:
        """Return the picture so far, or nothing where there is none. The picture is encoded once for all browsers."""
        live = self.live
        with live.changed:
            image = live.image
        if image is None:
            return b""
        began = time.monotonic()
        payload = self._encoded("picture", image)
        live.due = max(live.due, time.monotonic() + (time.monotonic() - began) / LARGEST_SHARE)
        return payload

    def source(self, index: int) -> bytes:
        """Return the photo for index 0, and a style for a higher index; nothing where there is no such style."""
        with self.live.changed:
            sources = self.live.sources
        images = [named.image for named in (sources.content, *sources.styles)] if sources else []
        return self._encoded(f"source {index}", images[index]) if index < len(images) else b""

    def _encoded(self, name: str, image: np.ndarray) -> bytes:
        """Return a picture as JPEG, encoded anew only where the image is another one."""
        with self.encoding:
            if self.encoded.get(name, (None, b""))[0] is not image:
                self.encoded[name] = image, jpeg_bytes(preview(image, LARGEST_PX))
            return self.encoded[name][1]


# Path -> content type, and the function that makes the payload.
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
    """Answer one request. Paths outside TABLE are refused, and requests under another name than the server's own."""

    server: Server
    server_version, sys_version = "neural_art", ""
    timeout = SECONDS_TO_READ

    def do_GET(self) -> None:
        """Answer a GET or HEAD request."""
        path, _, query = self.path.partition("?")
        if not self._is_own_host():
            self.send_error(HTTPStatus.FORBIDDEN)
        elif path not in TABLE:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif path == "/state.json" and query.startswith("after=") and query[6:].isascii() and query[6:].isdigit():
            self._send(HTTPStatus.OK, TABLE[path][0], self.server.state(int(query[6:18])))
        else:
            kind, make = TABLE[path]
            payload = make(self.server)
            missing = kind == "image/jpeg" and not payload
            self._send(HTTPStatus.NOT_FOUND if missing else HTTPStatus.OK, kind, payload)

    do_HEAD = do_GET  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in one phrase, an unknown method as HTTP requires."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._send(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""

    def _send(self, status: HTTPStatus, kind: str, payload: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def _is_own_host(self) -> bool:
        """Return whether the Host header names this server. Another site could let its own name point here."""
        address, port = self.connection.getsockname()[:2]
        names = {_bracketed(name.lower()) for name in (address.partition("%")[0], "localhost", self.server.host)}
        given = [host.strip().lower() for host in self.headers.get_all("Host", [])]
        own = {f"{name}:{port}" for name in names} | (names if port == 80 else set())
        return len(given) == 1 and given[0] in own


@contextmanager
def served(host: str = HOST, port: int = 0) -> Iterator[tuple[LiveView, str]]:
    """Serve on a port, or on a free port for 0; yield the LiveView to fill and the address. Raises UserError.

    At the end the server waits up to SECONDS_AT_END for a watching browser to show the last picture and chart.
    """
    if not 0 <= port <= 65535:
        raise UserError(f"--watch-port {port}: must be from 0 to 65535; 0 takes a free port")
    live = LiveView()
    try:
        server = Server(live, host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError where the host is no valid name.
        words = os_error_reason(error) if isinstance(error, OSError) else error
        raise UserError(
            f"--watch-host {host}, --watch-port {port}: {words}; give others, or none for a free port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(SECONDS_BETWEEN_LOOKS,), daemon=True)
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


def _hang_up(request: socket.socket) -> None:
    """End a connection, also for a thread that waits for it."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _state_of(live: LiveView) -> dict[str, Any]:
    """Return all that the page shows of a run, but for its pictures and chart. The caller holds `live.changed`."""
    last = live.steps[-1] if live.steps else None
    sources = live.sources
    content, styles = title_of(sources) if sources else ("", [])
    return {
        "version": live.version,
        "run": live.run,
        "place": live.place,
        "state": live.state,
        "over": live.over,
        "content": content,
        "styles": styles,
        "shown_styles": min(len(styles), MOST_STYLES),
        "unit": sources.unit if sources else "step",
        "step": last.number if last else 0,
        "steps": sources.steps if sources else 0,
        "size": list(last.size) if last else None,
        "costs": last.costs if last else {},
        "seconds": last.seconds if last else 0,
        "seconds_left": live.seconds_left,
        "fraction_done": live.fraction_done,
        "picture": live.image_version,
    }


def _bracketed(host: str) -> str:
    """Return a host as written before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""The far end of an uplink: a destination on loopback that can be away, and remembers what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Centre:
    """Takes OTLP as JSON on a port that it keeps, while it is there."""

    def __init__(self, port: int) -> None:
        """It is away until `come`."""
        self.port = port
        self.got: list[dict[str, Any]] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def come(self) -> None:
        """Be there."""
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def go(self) -> None:
        """Be away."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def span_ids(self) -> list[str]:
        """Ids of spans, as often as they came."""
        return [span["spanId"] for span in self._spans()]

    def _spans(self) -> Iterator[dict[str, Any]]:
        for body in list(self.got):
            for resource in body.get("resourceSpans", ()):
                for scope in resource["scopeSpans"]:
                    yield from scope["spans"]

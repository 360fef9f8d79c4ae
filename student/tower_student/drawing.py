"""`tower draw`: a page on which one draws, served to this computer alone, and the student's model answers.

The address holds a secret, so that no other page and no other user of the computer can ask; a request
with another Host, as from a name that was made to point here, is refused. Nothing else is served.
"""

import base64
import hmac
import json
import secrets
import threading
import webbrowser
from functools import partial
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

import torch
from rich.console import Console
from rich.text import Text
from torch import Tensor, nn

from tower_student import language, training
from tower_student.course import course_in
from tower_student.errors import UsageError
from tower_student.language import tr
from tower_student.pictures import bright
from tower_student.training import Plan, Workshop, read_by_layers
from tower_student.training_page import lent
from tower_student.training_show import show_parts

FOLDER = Path(__file__).parent
LOOPBACK = "127.0.0.1"
SIDE = 280
"""Pixels of a drawing, which is a square of grey values, one byte each."""
PATIENCE = 10
"""Seconds that a request may take to arrive."""
POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Drawings(ThreadingHTTPServer):
    """Answers drawings, at an address that only who started it knows."""

    daemon_threads = True

    def __init__(self, shop: Workshop, model: nn.Module, title: str = "") -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.token, self.nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(16)
        self._shop, self._model = shop, model
        self._lock = threading.Lock()
        self.page = _page(shop, title, self.nonce).encode()

    @property
    def hosts(self) -> set[str]:
        """What a browser may call it."""
        return {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def answer(self, drawing: bytes) -> dict[str, Any]:
        """What the model reads in SIDE × SIDE grey values, and sees on the way; or what is wrong with it."""
        ink = torch.frombuffer(bytearray(drawing), dtype=torch.uint8).reshape(SIDE, SIDE)
        with self._lock:  # two requests would take each other's feature maps
            try:
                image = self._shop.plan.prepare(ink.float() / 255)
                shares, layers = read_by_layers(self._shop, self._model, image)
            except UsageError as error:
                return {"problem": str(error)}
        return {
            "shares": [round(share, 4) for share in shares.tolist()],
            "seen": _grey("", image),
            "layers": [_grey(layer.name, layer.maps) for layer in layers],
        }


def _grey(name: str, maps: Tensor) -> dict[str, Any]:
    """Maps (N, H, W) as bytes; the brightest of all is white."""
    count, height, width = maps.shape
    levels = (bright(maps) * 255).round().byte()
    pixels = base64.b64encode(bytes(levels.flatten().tolist())).decode()
    return {"name": name, "count": count, "height": height, "width": width, "pixels": pixels}


class _Handler(BaseHTTPRequestHandler):
    server: Drawings
    timeout = PATIENCE
    server_version, sys_version = "tower", ""

    def do_GET(self) -> None:
        """Give the page."""
        if self._is_for("/"):
            self._reply(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def do_POST(self) -> None:
        """Answer a drawing."""
        if not self._is_for("/read"):
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > SIDE * SIDE:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif (
            int(length) < SIDE * SIDE or len(drawing := self.rfile.read(SIDE * SIDE)) < SIDE * SIDE
        ):
            self._refuse(HTTPStatus.BAD_REQUEST)
        else:
            self._reply(
                HTTPStatus.OK, "application/json", json.dumps(self.server.answer(drawing)).encode()
            )

    def _is_for(self, path: str) -> bool:
        """Refuse what is not asked by the page itself, and for this path."""
        if self.headers.get("Host", "") not in self.server.hosts:
            self._refuse(HTTPStatus.FORBIDDEN)
            return False
        if not hmac.compare_digest(self.path.encode(), f"/{self.server.token}{path}".encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return False
        return True

    def _refuse(self, status: HTTPStatus) -> None:
        self._reply(status, "text/plain; charset=utf-8", status.phrase.encode())

    def _reply(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", POLICY.format(nonce=self.server.nonce)),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Print nothing: the address, with its secret, would stand in it."""


def serve(folder: Path, plan: Plan, console: Console, *, browser: bool) -> None:
    """Serve the page until Ctrl-C. Raises UsageError where there are no weights, or no model for them."""
    with training.workshop(folder, plan) as shop:
        model = shop.new_model()
        training.load(folder / training.WEIGHTS, model)
        if shop.loans:
            show_parts(shop, console)
        with Drawings(shop, model, course_in(folder).title) as server:
            console.print(Text(server.url), soft_wrap=True)
            console.print(Text(tr("Draw there; Ctrl-C ends it."), "dim"))
            try:
                if browser:
                    # A browser that runs in the terminal would wait for the page, which is not served yet.
                    threading.Thread(
                        target=partial(webbrowser.open, server.url), daemon=True
                    ).start()
                server.serve_forever()
            except KeyboardInterrupt:
                console.print(Text(tr("Ended."), "dim"))


def _page(shop: Workshop, title: str, nonce: str) -> str:
    rows = "".join(
        f'<li><span>{escape(name)}</span><span class="share"><i></i></span><output>0 %</output></li>'
        for name in shop.plan.classes
    )
    loans = f'<div class="loan"><b>{escape(lent(shop))}</b></div>' if shop.loans else ""
    said = {
        "title": title or tr("Draw"),
        "invitation": tr("Draw with the mouse, a pen or a finger."),
        "clear": tr("Clear"),
        "drawing": tr("Where you draw"),
        "reads": tr("What it reads"),
        "seen": tr("What it gets"),
        "nothing": tr("Nothing is drawn yet."),
        "sees": tr("What {layer} sees", layer="@"),
        "maps": tr("The brighter, the more of what a kernel looks for is there."),
        "gone": tr("tower draw has ended: start it again."),
    }
    template = Template((FOLDER / "drawing.html").read_text(encoding="utf-8"))
    return template.substitute(
        {name: escape(text) for name, text in said.items()},
        language=language.spoken().replace("_", "-"),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        nonce=nonce,
        side=SIDE,
        rows=rows,
        loans=loans,
    )

"""Whether the page stays smooth while a long answer streams into it, in the system's Chromium.

    python bench/page.py [--tokens 4000] [--each MS] [--json]

The page's own files, and a server that answers a question with tokens at a fixed pace: the models
are left out, so that the browser is measured. Then the answer ends, its words are shown again, and
an answer as long is opened from what is kept. Printed are the times between animation frames, tasks
of 50 ms and more on the clock, the most CPU time of one task in each step, and what one token costs
the browser's main thread early and late in the answer. CPU time is hardly changed by other work on
the machine; times on the clock are.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import itertools

from tests.support.browser import chromium_path, launched

PAGE = """<!doctype html><meta charset=utf-8><link rel=stylesheet href=/static/style.css>
<link rel=stylesheet href=/static/answer.css>
<div id=scroll style="height:90vh;overflow:auto"><div id=log></div></div>
<p id=notice hidden></p>"""
STREAM = """async () => {
  const { Answer } = await import("/static/answer.js");
  const { Scroll } = await import("/static/scroll.js");
  const { events } = await import("/static/stream.js");
  const scroll = new Scroll(document.getElementById("scroll"));
  const nothing = () => {};
  window.answer = (message) => {
    const made = new Answer({ id: null, role: "assistant", text: "", ...message },
      { follow: () => scroll.follow(), inspect: nothing, enterPanel: nothing,
        closePanel: nothing, widen: nothing });
    document.getElementById("log").append(made.element);
    return made;
  };
  window.live = answer({});
  window.seen = { frames: [], long: [], tokens: 0, done: false };
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) seen.long.push(task.duration);
  }).observe({ type: "longtask" });
  const frame = (now) => { seen.frames.push(now); if (!seen.done) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  live.begin({ answer: "a" });
  (async () => {
    for await (const event of events("/ask", {}))
      if (event.type === "token") { live.add(event); seen.tokens += 1; }
    seen.done = true;
    seen.nodes = document.querySelectorAll("*").length;
  })().catch((error) => { seen.failed = String(error); seen.done = true; });
}"""
WORDS = "[...document.querySelectorAll('[data-side=words]')].at(-1).click()"
STEPS = {
    "the tokens come": STREAM,
    "the answer ends": """() => {
      const html = "<p>" + live.words.text.trim().replaceAll("\\n", "</p><p>") + "</p>";
      window.kept = { id: 1, html, text: live.words.text, tokens: live.words.tokens };
      live.end({ message: 1, html, finish_reason: "stop", bytes_up: 1 });
    }""",
    "its words are shown again": WORDS,
    "a kept answer is opened": """() => {
      document.getElementById("log").replaceChildren();
      answer({ ...kept, tokens: kept.tokens.map(({ i, ...token }) => token) });
    }""",
    "the words of that are shown": WORDS,
}
"""What is done in turn; each begins with a mark of its name."""
SETTLING = 2000
"""Milliseconds after each step in which what it left to do is done."""
STATIC = Path(__file__).parents[1] / "src/costeer/gateway/page/static"
KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}


def token(index: int) -> dict[str, Any]:
    """A token as the gateway sends it: a fifth are changed, a third shaded, some end a line."""
    text = ".\n" if index % 80 == 79 else f" word{index % 700}"
    shift = [None, 0.1, 0.2, 1.5, 3.0][index % 5]
    return {"type": "token", "i": index, "text": text, "changed": index % 5 == 4, "shift": shift}


def handler(tokens: int, pause: float) -> type[BaseHTTPRequestHandler]:
    """A server of the page's files, and of one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/static/")
            file = STATIC / name
            found = name != self.path and file.parent == STATIC and file.is_file()
            self._begin(KINDS[file.suffix] if found else "text/html")
            self.wfile.write(file.read_bytes() if found else PAGE.encode())

        def do_POST(self) -> None:
            self._begin("text/event-stream")
            began = time.perf_counter()
            for index in range(tokens):
                self._send(token(index))
                time.sleep(max(0.0, began + (index + 1) * pause - time.perf_counter()))
            self._send({"type": "end"})

        def _begin(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.end_headers()

        def _send(self, event: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler


@contextmanager
def serving(tokens: int, pause: float) -> Iterator[str]:
    """The URL of that server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(tokens, pause))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def busy(session: Any) -> dict[str, float]:
    """CPU seconds of the page's main thread so far, by kind."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in metrics}


def watch(page: Any, session: Any, tokens: int) -> tuple[dict[str, Any], list[tuple[int, float]]]:
    """What the page saw, and (tokens, CPU seconds) while they came."""
    points = []
    while True:
        seen: dict[str, Any] = page.evaluate("({ ...seen })")
        points.append((seen["tokens"], busy(session)["TaskDuration"]))
        if seen["done"]:
            break
        page.wait_for_timeout(250)
    if seen.get("failed") or seen["tokens"] != tokens:
        raise SystemExit(f"{seen['tokens']} of {tokens} tokens came: {seen.get('failed')}")
    return seen, points


def longest(trace: bytes) -> dict[str, float]:
    """The most CPU milliseconds of one task of the page's main thread after each mark.

    A task's time on the clock is longer: the thread waits for a core, and for the compositor, which
    takes each frame over while it stands still.
    """
    events = json.loads(trace)["traceEvents"]
    marks = sorted((e["ts"], e["name"]) for e in events if e["name"] in STEPS and e["ph"] != "E")
    (main,) = {(e["pid"], e["tid"]) for e in events if e["name"] in STEPS}
    found = dict.fromkeys(STEPS, 0.0)
    for event in events:
        if (event["pid"], event["tid"]) != main or "tdur" not in event:
            continue
        before = [name for at, name in marks if at <= event["ts"] + event["dur"]]
        if before:
            found[before[-1]] = max(found[before[-1]], event["tdur"] / 1000)
    return found


def cost(points: list[tuple[int, float]], start: float, end: float) -> float:
    """Milliseconds of CPU a token between two shares of the answer."""
    total = points[-1][0]
    part = [point for point in points if start * total <= point[0] <= end * total]
    return 1000 * (part[-1][1] - part[0][1]) / (part[-1][0] - part[0][0])


def measure(tokens: int, pause: float) -> dict[str, Any]:
    """The figures."""
    with serving(tokens, pause) as url, launched(chromium_path()) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        browser.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
        for name, work in STEPS.items():
            page.evaluate("(name) => { performance.mark(name); }", name)
            page.evaluate(work)
            if work is STREAM:
                seen, points = watch(page, session, tokens)
            page.wait_for_timeout(SETTLING)
        most = longest(browser.stop_tracing())
    frames = seen["frames"]
    times = [after - before for before, after in itertools.pairwise(frames)]
    return {
        "tokens": tokens,
        "tokens a second": round(tokens / (frames[-1] - frames[0]) * 1000, 1),
        "ms a frame, median": round(statistics.median(times), 1),
        "ms a frame, 95 %": round(statistics.quantiles(times, n=20)[-1], 1),
        "tasks of 50 ms and more": len(seen["long"]),
        "longest task, ms": round(max(seen["long"], default=0)),
        "CPU ms a token, first quarter": round(cost(points, 0, 0.25), 2),
        "CPU ms a token, last quarter": round(cost(points, 0.75, 1), 2),
        **{f"longest CPU ms, {name}": round(value, 1) for name, value in most.items()},
        "elements on the page": seen["nodes"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--each", type=float, default=8.0, help="milliseconds between tokens")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if chromium_path() is None:
        raise SystemExit("Chromium is missing. Install it: apt-get install chromium.")
    if options.tokens * options.each < 2000:
        raise SystemExit("An answer of less than two seconds says nothing: give more --tokens.")
    found = measure(options.tokens, options.each / 1000)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:45} {value}")


if __name__ == "__main__":
    main()

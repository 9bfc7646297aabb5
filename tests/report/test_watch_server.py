"""The server of the live view: what it shows, to whom, and what it refuses."""

import io
import json
import socket
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import replace

import numpy as np
import pytest
from pages import ask, check_seen, slide, state_of, step_of
from PIL import Image

import neural_art
from nst.errors import UserError
from nst.network import weights
from nst.report.sources import Named
from nst.report.status import DONE, RUNNING, STARTING
from nst.report.watch_server import MOST_CONNECTIONS, TABLE, served

TINY = ["--size", "32", "--steps", "2"]  # flags of the shortest run


@pytest.fixture(autouse=True)
def quick_end(monkeypatch):
    """Let a server end in a moment."""
    monkeypatch.setattr("nst.report.watch_server.SECONDS_BETWEEN_LOOKS", 0.005)


@pytest.fixture
def live_and_port(monkeypatch):
    """A view that is served, and the port; at the end the server waits for no browser."""
    monkeypatch.setattr("nst.report.watch_server.SECONDS_AT_END", 0.05)
    with served() as (live, url):
        yield live, int(url.rstrip("/").rpartition(":")[2])


def test_the_page_shows_the_run_that_goes_on(live_and_port, sources, content):
    live, port = live_and_port
    assert state_of(port)["state"] == STARTING
    live.place = "3 of 20"
    with live.showing(sources, measure=lambda: (0.25, 7.5)):
        before = state_of(port)
        assert (before["state"], before["content"], before["styles"]) == (STARTING, "a <b>", ["s", "t"])
        assert [ask(port, path)[0] for path in ("/content.jpg", "/style_1.jpg", "/picture.jpg")] == [200, 200, 404]
        live.follow(step_of(1), lambda: content, None)
        state = state_of(port)
        assert (state["content"], state["styles"], state["place"]) == ("a <b>", ["s", "t"], "3 of 20")
        assert (state["state"], state["step"], state["steps"], state["seconds_left"]) == (RUNNING, 1, 8, 7.5)
        assert state["fraction_done"] == 0.25
        assert state["costs"] == step_of(1).costs
        status, headers, payload = ask(port, f"/picture.jpg?{state['picture']}")
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        shown = np.asarray(Image.open(io.BytesIO(payload)))
        assert np.abs(shown - 255 * content).mean() < 6
        assert ask(port, "/style_2.jpg")[0] == 200
        assert ask(port, "/style_3.jpg")[0] == 404
        assert b"<polyline" in ask(port, "/costs.html")[2]
    assert (state_of(port)["state"], state_of(port)["over"]) == (DONE, False)


def test_a_change_is_told_at_once(live_and_port, sources, content):
    live, port = live_and_port
    with live.showing(sources, [step_of(1)]):
        version, began = state_of(port)["version"], time.monotonic()
        threading.Timer(0.05, lambda: live.follow(step_of(2), lambda: content, None)).start()
        assert state_of(port, version)["version"] > version
        assert 0.04 < time.monotonic() - began < 3


def test_large_pictures_are_shown_smaller(live_and_port, sources):
    live, port = live_and_port
    with live.showing(sources, [step_of(1)]):
        live.show(np.zeros((400, 2000, 3), np.float32))
        assert Image.open(io.BytesIO(ask(port, "/picture.jpg")[2])).size == (768, 154)


@pytest.mark.parametrize("path", TABLE)
def test_every_answer_keeps_itself_to_itself(live_and_port, sources, path):
    live, port = live_and_port
    with live.showing(sources, [step_of(1)]):
        live.show(np.zeros((20, 20, 3), np.float32))
        status, headers, payload = ask(port, path)
        assert status == (404 if path in ("/style_3.jpg", "/style_4.jpg") else 200)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        head = ask(port, path, "HEAD")
        assert (head[0], head[2]) == (status, b"")
        if path != "/state.json":
            assert head[1]["Content-Length"] == str(len(payload))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost", "localhost.evil.example:{port}",
     "127.0.0.2:{port}", "", [], ["127.0.0.1:{port}", "evil.example"], ["127.0.0.1:{port}"] * 2, "0.0.0.0:{port}"],
)  # fmt: skip
def test_other_hosts_are_refused(live_and_port, host):
    _, port = live_and_port
    hosts = [part.format(port=port) for part in ([host] if isinstance(host, str) else host)]
    for path in ("/", "/state.json", "/picture.jpg", "/other"):
        status, _, payload = ask(port, path, host=hosts)
        assert (status, payload) == (403, b"Forbidden\n")


def test_own_names_are_answered(live_and_port):
    _, port = live_and_port
    for name in ("localhost", "LOCALHOST", "127.0.0.1"):
        assert ask(port, host=f"{name}:{port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/..", "/../README.md", "/%2e%2e/README.md", "/page.css/../../../README.md", "/README.md", "/nst/page.py", "/page",
     "/state.json/", "/picture.jpg%00", "http://127.0.0.1/", "*", "/templates/page.css", "/report.html"],
)  # fmt: skip
def test_nothing_else_is_served(live_and_port, path):
    status, headers, payload = ask(live_and_port[1], path)
    assert (status, payload) == (404, b"Not Found\n")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"])
def test_other_methods_are_refused(live_and_port, method):
    status, headers, _ = ask(live_and_port[1], "/state.json", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("after", ["-1", "x", "", "9" * 5000, "1e9", "%31"])
def test_odd_versions_do_not_wait(live_and_port, sources, after):
    live, port = live_and_port
    with live.showing(sources):
        began = time.monotonic()
        assert ask(port, f"/state.json?after={after}")[0] == 200
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "words", [b"\x16\x03\x01\x00\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n", b""]
)
def test_what_is_no_request_harms_nothing(live_and_port, words, capsys):
    _, port = live_and_port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    assert ask(port)[0] == 200
    assert capsys.readouterr() == ("", "")


def test_many_connections_do_not_take_all_threads(live_and_port):
    _, port = live_and_port
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(3 * MOST_CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            time.sleep(0.002)  # where the queue of a busy server is full, a connection takes a second
        time.sleep(0.1)
        assert threading.active_count() - before <= MOST_CONNECTIONS
    for _ in range(500):
        try:
            if ask(port)[0] == 200:
                break
        except OSError:
            time.sleep(0.01)
    else:
        pytest.fail("the server answers no more")


def test_a_client_that_sends_byte_by_byte_is_hung_up_on(monkeypatch, sources):
    monkeypatch.setattr("nst.report.watch_server.SECONDS_OF_REQUEST", 0.5)
    with served() as (_, url), socket.create_connection(("127.0.0.1", int(url.split(":")[2].strip("/")))) as client:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 8:
                client.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() < began + 5


def test_it_listens_on_this_machine_alone_and_ends_with_the_run():
    before = threading.active_count()
    with served() as (_, url):
        port = int(url.rstrip("/").rpartition(":")[2])
        assert url == f"http://127.0.0.1:{port}/"
        for other in ("127.0.0.2", "::1"):
            with pytest.raises(OSError, match=r"refused|assign|not supported"):
                socket.create_connection((other, port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with socket.create_server(("127.0.0.1", port)):  # free again
        pass
    assert threading.active_count() <= before


def test_other_addresses_where_they_are_asked_for(sources):
    with served("0.0.0.0") as (_, url):
        port = int(url.rstrip("/").rpartition(":")[2])
        assert url.startswith("http://127.0.0.1:")
        assert ask(port)[0] == 200
        assert ask(port, host=f"evil.example:{port}")[0] == 403
    with served("localhost") as (_, url), urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_that_there_are_not(port):
    with pytest.raises(UserError, match=rf"--watch-port {port}: must be from 0 to 65535; 0 takes a free port"):
        served(port=port).__enter__()


def test_a_port_in_use_or_a_host_of_another_is_refused_before_the_work(tmp_path, pictures, refused, monkeypatch):
    monkeypatch.setattr("nst.run.run_picture.start_tensorflow", lambda **_: pytest.fail("the work has begun"))
    words = [*pictures, *TINY, "-o", str(tmp_path / "art.png"), "--watch"]
    with served() as (_, url):
        port = url.rstrip("/").rpartition(":")[2]
        message = f"--watch-host 127.0.0.1, --watch-port {port}: Address already in use; give others"
        assert message in refused([*words, "--watch-port", port])
    assert "--watch-host 203.0.113.7, --watch-port 0: " in refused([*words, "--watch-host", "203.0.113.7"])
    for host in ("", "a" * 70, "no such machine"):
        assert f"--watch-host {host}, --watch-port 0: " in refused([*words, "--watch-host", host])
    assert "invalid int value" in refused([*words, "--watch-port", "http"])


def test_the_last_picture_and_chart_are_seen_by_who_watches(sources, content):
    got = {}

    def watch(port):
        state = {"version": -1, "over": False}
        while not state["over"]:
            state = state_of(port, max(0, state["version"]))
            got["state"] = state["state"]
        for path in ("/picture.jpg", "/costs.html"):
            time.sleep(0.05)  # as a slow browser
            got[path] = ask(port, path)[0]
        state_of(port, state["version"])  # says that all is shown

    with served() as (live, url):
        thread = threading.Thread(target=watch, args=(int(url.rstrip("/").rpartition(":")[2]),))
        with live.showing(sources, [step_of(1)]):
            thread.start()
            while not got:
                time.sleep(0.005)
            live.show(content)
        began = time.monotonic()
    assert 0.1 < time.monotonic() - began < 1.0  # it waits for the browser, and no longer
    thread.join(5)
    assert got == {"state": DONE, "/picture.jpg": 200, "/costs.html": 200}


@pytest.mark.parametrize("kind", [[], ["--quiet"], ["--json"]])
def test_the_command_tells_where_to_watch(tmp_path, pictures, tiny, capsys, kind):
    told, seen = [], []

    def ask(step, picture, state):
        told.extend(capsys.readouterr().err.splitlines())
        url = json.loads(told[0])["url"] if kind == ["--json"] else told[0].split()[-1]
        seen.append(state_of(int(url.rstrip("/").rpartition(":")[2]))["step"])

    assert neural_art.main([*pictures, *TINY, "-o", str(tmp_path / "art.png"), "--watch", *kind], on_step=[ask]) == 0
    assert seen == [1, 2]
    if kind == ["--json"]:
        assert set(json.loads(told[0])) == {"event", "url"}
    else:
        assert told[0].startswith("neural_art: watch it at http://127.0.0.1:")


def test_photo_and_style_are_shown_before_the_network_is_loaded(
    tmp_path, pictures, tiny, tiny_weights, capsys, monkeypatch
):
    seen = []

    def load(source=None):
        port = int(capsys.readouterr().err.splitlines()[0].rstrip("/").rpartition(":")[2])
        state = state_of(port)
        seen.append((state["state"], state["content"], state["styles"], state["step"], state["fraction_done"]))
        seen.append([ask(port, path)[0] for path in ("/content.jpg", "/style_1.jpg")])
        return tiny_weights

    monkeypatch.setattr(weights, "load_weights", load)
    assert neural_art.main([*pictures, *TINY, "-o", str(tmp_path / "art.png"), "--watch"]) == 0
    assert seen == [(STARTING, "content", ["style"], 0, 0.0), [200, 200]]


def test_a_run_can_be_watched_with_resume_and_by_file(tmp_path, pictures, tiny, capsys, refused, monkeypatch):
    (tmp_path / "watch.toml").write_text("watch = true\nwatch-port = 0\nreport = false\n")
    words = [*pictures, *TINY, "-o", str(tmp_path / "art.png"), "--config", str(tmp_path / "watch.toml")]

    def stop(step, picture, state):
        raise KeyboardInterrupt(15)

    assert neural_art.main(words, on_step=[stop]) == 128 + 15
    assert "watch it at http://127.0.0.1:" in capsys.readouterr().err
    assert not (tmp_path / "art" / "report.html").exists()
    assert neural_art.main(["--resume", str(tmp_path / "art"), "--watch", "--no-report"]) == 0
    assert "watch it at http://127.0.0.1:" in capsys.readouterr().err
    (tmp_path / "watch.toml").write_text("watch-port = true\n")
    assert "watch-port = true: must be a whole number" in refused(words)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_run_in_a_browser(browser, sources, content, width):
    with served() as (live, url):
        driver = browser(url, width)

        def until(identity, words):
            for _ in range(500):
                if driver.find_element("id", identity).text == words:
                    return
                time.sleep(0.01)
            pytest.fail(f"{identity} is {driver.find_element('id', identity).text}, not {words}")

        live.place = "3 of 20"
        with live.showing(sources, measure=lambda: (len(live.steps) / 16, 2.0)):
            until("state", STARTING)
            until("content", "a <b>")
            await_loaded = "return [...document.images].filter((image) => image.naturalWidth).length"
            for _ in range(500):
                if driver.execute_script(await_loaded) == 3:  # The photo and two styles, before the first step.
                    break
                time.sleep(0.01)
            photo, slider = driver.find_element("id", "photo"), driver.find_element("id", "slider")
            assert photo.is_displayed()
            assert photo.value_of_css_property("clip-path") == "none"
            assert slider.value_of_css_property("display") == "none"
            for number in range(1, 5):
                live.due = 0.0
                live.follow(step_of(number), lambda: content, None)
                until("step", f"{number} of 8")
            assert driver.find_element("id", "content").text == "a <b>"
            assert driver.find_element("id", "place").text == "3 of 20"
            assert driver.find_element("id", "left").text == "2.0 s"
            assert driver.find_element("id", "work").text == "25 %"  # Half the steps, and a quarter of the work.
            assert driver.find_element("id", "progress").get_property("value") == 0.25
            check_seen(driver)
            slide(driver, driver.find_element("id", "compare"))
            first = driver.find_element("id", "picture").get_attribute("src")
            live.follow(step_of(5), lambda: content, None)
        live.place = "4 of 20"
        with live.showing(replace(sources, content=Named("other.png", 1 - content)), [step_of(1), step_of(2)]):
            live.show(1 - content)
            until("step", "2 of 8")
            assert driver.find_element("id", "content").text == "other"
            assert driver.find_element("id", "place").text == "4 of 20"
    until("state", DONE)
    for _ in range(200):  # until the browser has drawn what it has got
        wide = driver.find_element("css selector", "#costs polyline").rect["width"] > 30
        if wide:
            break
        time.sleep(0.01)
    assert wide
    assert driver.find_element("id", "picture").get_attribute("src") != first
    assert driver.find_element("id", "picture").get_property("naturalWidth") == 56


@pytest.mark.browser
def test_a_chart_that_grows_can_be_read_meanwhile(browser, sources, content):
    from selenium.webdriver import Keys

    with served() as (live, url):
        driver = browser(url)

        def until(script, value):
            for _ in range(500):
                if driver.execute_script(f"return {script}") == value:
                    return
                time.sleep(0.01)
            pytest.fail(f"{script} is {driver.execute_script(f'return {script}')}, not {value}")

        with live.showing(sources, [step_of(1)]):
            live.follow(step_of(2), lambda: content, None)
            until("document.querySelector('.reader')?.max", "1")
            slider = driver.find_element("css selector", ".reader")
            driver.execute_script("arguments[0].focus({focusVisible: true})", slider)
            slider.send_keys(Keys.HOME)
            live.follow(step_of(3), lambda: content, None)
        until("document.querySelector('.reader').max", "2")
        assert driver.find_element("css selector", ".reading").text.startswith("Step 1, 56 px\ntotal\n1\n")
        slider.send_keys(Keys.END)  # The slider is the same element still, and in focus.
        assert driver.find_element("css selector", ".reading").text.startswith("Step 3, 56 px\ntotal\n0.3333\n")


@pytest.mark.browser
def test_a_name_that_leads_here_is_refused(chromium, live_and_port):
    """What a page of another site could do: give its own name this machine's address."""
    port = live_and_port[1]
    chromium.get(f"http://evil.example:{port}/state.json")
    assert chromium.find_element("css selector", "body").text == "Forbidden"
    chromium.get(f"http://localhost:{port}/state.json")
    assert STARTING in chromium.find_element("css selector", "body").text
    chromium.get("about:blank")
    chromium.get_log("browser")


def test_of_a_clip_each_frame_is_served_beside_its_picture_and_no_costs(live_and_port, sources, content):
    live, port = live_and_port
    with live.showing(replace(sources, unit="frame", steps=12)):
        for number, light in enumerate((1, 0.5), 1):
            state_of(port)
            live.due = 0
            live.follow_frame(replace(step_of(number), costs={}), light * content, light * (1 - content))
            state = state_of(port)
            assert (state["unit"], state["step"], state["steps"], state["costs"]) == ("frame", number, 12, {})
            for path, expected in (("/content.jpg", content), ("/picture.jpg", 1 - content)):
                shown = np.asarray(Image.open(io.BytesIO(ask(port, path)[2])))
                assert np.abs(shown - 255 * light * expected).mean() < 6
        assert ask(port, "/costs.html")[2] == b""

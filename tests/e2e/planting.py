"""An agent that tries to be a visitor: it reads a page, takes its token, and sends its form, honestly and in hiding.

Runs by itself, with the standard library alone. Arguments: the server's address and the project's id. Prints for each
way what the server answered.
"""

import http.client
import re
import socket
import struct
import sys
import time
from urllib.parse import urlencode, urlsplit

URL, PROJECT = urlsplit(sys.argv[1]), sys.argv[2]
HOST, PORT = URL.hostname or "", URL.port or 80


def page() -> tuple[str, str]:
    """The cookies and the token of the board."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=20)
    connection.request("GET", f"/projects/{PROJECT}")
    answer = connection.getresponse()
    found = re.search(r'name="_csrf_token" value="([^"]+)"', answer.read().decode())
    assert answer.status == 200
    assert found
    cookies = [value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return "; ".join(cookies), found[1]


def request(title: str, *more: str) -> bytes:
    cookies, token = page()
    body = urlencode({"_csrf_token": token, "title": title})
    head = [
        f"POST /projects/{PROJECT}/tasks HTTP/1.1", f"host: {URL.netloc}", f"cookie: {cookies}",
        "content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}", *more, "", body,
    ]  # fmt: skip
    return "\r\n".join(head).encode()


def send(title: str, *more: str, wait: bool = True, reset: bool = False) -> str:
    sent = request(title, *more)
    with socket.create_connection((HOST, PORT), timeout=20) as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)
        if wait:
            return connection.recv(4096).split(b"\r\n")[0].decode()
    return "gone"


if __name__ == "__main__":
    print("honest:", send("Planted honestly"))
    print("another address:", send("Planted from afar", "x-forwarded-for: 203.0.113.9", "x-real-ip: 203.0.113.9"))
    for number in range(20):
        send(f"Planted and gone {number}", wait=False)
        send(f"Planted and reset {number}", wait=False, reset=True)
    time.sleep(1)
    print("hidden: tried")

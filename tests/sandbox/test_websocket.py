"""The server's side of web sockets, with websocket-client as the other side."""

import socket
import struct

import pytest
from websocket import ABNF, WebSocketBadStatusException, create_connection

from sandbox.http import Peer, Reply
from sandbox.websocket import WebSocket, handshake


class Echo(Peer):
    """Sends back what it gets, until the other side ends."""

    def handle(self, request):
        headers = handshake(request.headers)
        return Reply(400) if headers is None else Reply(101, b"", headers, self.echo)

    def echo(self, connection):
        web_socket = WebSocket(connection)
        for message in web_socket.messages():
            web_socket.send(message)


@pytest.fixture(scope="module")
def echo():
    with Echo() as peer:
        yield peer


@pytest.fixture
def client(echo):
    connection = create_connection(echo.url.replace("http", "ws"), timeout=10)
    yield connection
    connection.shutdown()


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_messages_of_every_length_arrive_whole(client, length):
    sent = "ä" * (length // 2) + "x" * (length % 2)
    client.send(sent)
    assert client.recv() == sent


def test_a_ping_is_answered_with_what_it_said(client):
    client.ping("marmot")
    frame = client.recv_frame()
    assert (frame.opcode, frame.data) == (ABNF.OPCODE_PONG, b"marmot")


def test_an_end_is_answered_with_an_end(client):
    client.send_close()
    frame = client.recv_frame()
    assert (frame.opcode, frame.data) == (ABNF.OPCODE_CLOSE, struct.pack("!H", 1000))


def test_a_frame_that_is_not_masked_ends_the_connection(client):
    client.sock.sendall(bytes([0x81, 1]) + b"x")
    assert client.sock.recv(1) == b""


def test_the_connection_can_break_in_the_middle_of_a_frame(client):
    client.sock.sendall(bytes([0x81, 0x85]))
    client.sock.shutdown(socket.SHUT_WR)
    assert client.sock.recv(1) == b""


@pytest.mark.parametrize("header", ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: c2hvcnQ="])
def test_what_is_no_web_socket_of_today_is_refused(echo, header):
    with pytest.raises(WebSocketBadStatusException, match="400"):
        create_connection(echo.url.replace("http", "ws"), timeout=10, header=[header])

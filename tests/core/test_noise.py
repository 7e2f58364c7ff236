# ruff: noqa: E501 (one sample a line)
"""What is noise in an output, and what never is."""

from __future__ import annotations

import pytest

from bot.core import noise


def told(text: str) -> str:
    """With each noise as its kind in angle brackets."""
    masked, found = noise.masked(text, 0, len(text))
    assert all(kind in noise.KINDS for kind, _ in found)
    shown = masked.split("\0")
    return "".join(piece if at % 2 == 0 else f"<{piece}>" for at, piece in enumerate(shown))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-15 12:30:01,123 ERROR [main] gone", "<time> ERROR [main] gone"),
        ("2024-01-15T12:30:01.5+08:00 x 2024/1/5 y", "<time> x <time> y"),
        ("20240115T123001Z x", "<time> x"),
        ("-rw-r--r-- 2024-01-15 12:30 a.log, at 2024/01/15 09:05", "-rw-r--r-- <time> a.log, at <time>"),
        ("Jan 15 12:30:01 web sshd[1234]: x", "<time> web sshd[<pid>]: x"),
        ("Mon Jan 15 12:30:01 CST 2024", "<time>"),
        ('- - [15/Jan/2024:12:30:01 +0800] "GET / HTTP/1.1" 502 157', '- - [<time>] "GET / HTTP/1.1" 502 157'),
        ("2024年01月15日 12:30:01 开始", "<time> 开始"),
        ("at 12:30:01 PM, 1700000000 and 1700000000123", "at <time>, <time> and <time>"),
        ("[  123.456789] usb 1-1: gone", "[<time>] usb 1-1: gone"),
        ("took 12.3s real 0m1.234s (12 ms) 1h2m3s 5 days", "took <duration> real <duration> (<duration>) <duration> <duration>"),
        ("time=0.123 耗时 12 秒 用时：350毫秒", "time=<duration> 耗时 <duration> 用时：<duration>"),
        ("pid 42 pid=42 PID: 42 process 42 (pid 42)", "pid <pid> pid=<pid> PID: <pid> process <pid> (pid <pid>)"),
        ("进程号 42 ==42== /proc/42/fd", "进程号 <pid> ==<pid>== /proc/<pid>/fd"),
        ("./a.sh: line 3: 1234 Killed ./x", "./a.sh: line 3: <pid> Killed ./x"),
        ("port 50022 端口 48080 10.0.0.1:38080", "port <port> 端口 <port> <address>:<port>"),
        ("refused from 10.0.0.1 port 2201, 来自 10.0.0.1:2202", "refused from <address> port <port>, 来自 <address>:<port>"),
        ("./a.sh: line 3:   812 Killed ./x", "./a.sh: line 3: <pid> Killed ./x"),
        ("[error] 12#34: *56 connect() failed", "[error] <pid>#<pid>: *<id> connect() failed"),
        ("connect to 10.0.0.8:6379 refused", "connect to <address>:6379 refused"),
        ("goroutine 17 [running], 20240115123001 x", "goroutine <pid> [running], <time> x"),
        ("01/15/2024 12:30:01 PM x, 2024.01.15 12:30:01 y", "<time> x, <time> y"),
        ("2024年1月5日12时3分 开始", "<time> 开始"),
        ("http://10.0.0.1/x root@10.0.0.1 10.0.0.0/24", "http://<address>/x root@<address> <address>/24"),
        ("fe80::1 dead:beef::1 2001:db8:0:0:0:0:0:1", "<address> <address> <address>"),
        ("aa:bb:cc:dd:ee:01 AA-BB-CC-DD-EE-01", "<address> <address>"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id <UUID>"),
        ("container 0123456789ab at 0x7f3a2b4c5d6e", "container <id> at <id>"),
        ("12 rows, 1,234 bytes, [12/240], attempt 3, 第 3 次", "<counter> rows, <counter> bytes, [<counter>], attempt <counter>, 第 <counter> 次"),
        ("/tmp/tmp.Ab12Cd34Ef/app.log /tmp/deploy-1234.sh", "/tmp/<temporary path>/app.log /tmp/deploy-<temporary path>.sh"),
    ],
)  # fmt: skip
def test_noise(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "errno 13, errno=13, [Errno 13], os error 13, error 1045 (28000), error: 12 rows",
        "exit code 137, exit status 1, exited with code 12, rc=4, status=502, code 12 bytes",
        "HTTP 502, HTTP/1.1 404, status code: 503, curl: (7) Failed",
        "ORA-01017: invalid; MY-010334; SQLSTATE[28000] [1045]; E1234; KB5034441; Event ID 7031",
        "0x80070005, 0xC0000135, 0xffffffff80070005, 0x0000000080070005, -2147024891, 2147942405",
        "1 failed, 0 failed, 12 failed, failed=3 ok=4, 3 errors in 12 rows, 12 files could not be read: denied",
        "0 rows, 0 bytes, [0/240]",
        "to db-1 port 3306: refused, from here to db port 5432, bind :80, port 27017",
        "expires in 0 days, expired 12 days ago, replication lag: 9000 s, 剩余 12 天, took 3 attempts, Xid 79",
        "/var/log/app-2024-01-15.log backup_20240115.tar.gz a.txt b.txt file12 /data/10/x /srv/12ms/a",
        "nginx-1.24.0 nginx-1.24.0.1 version 1.2.3.4 v1.2.3.4 release 4.12.0.1 openssl-1.1.1k-9.el7 libc6_2.36-9",
        "commit 0123456789ab, HEAD is now at 0123456789ab, sha256:0123456789abcdef, md5: 0123456789abcdef",
        "0123456789abcdef0123456789abcdef  /etc/nginx/nginx.conf",
        "sda sdb nvme0n1 eth0 eth1 /dev/vda1 cpu0 node-3",
        "97% 12% 40G 3.5 MB load 12.5 85 C",
        "line 12: syntax error; foo.py:12:30; a::b std::string 12:30",
        "pid 0x1f pid 1.5 pid 007 port 080 /tmp/12/x",
        "-p80:80 3/10 1.2.3 2024 42",
    ],
)
def test_no_noise(text: str) -> None:
    assert told(text) == text

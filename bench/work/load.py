"""`python -m bench.work.load PORT PATH SECONDS RATE FILE`: signed pushes over kept connections.

RATE 0: each connection sends its next push when the last is answered. Otherwise pushes fall due at that rate whether
or not earlier ones are answered, and lateness counts from when they were due, so a stall is not forgotten. The ids of
acknowledged pushes go into FILE.
"""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import percentile
from logistics.couriers.standard_webhooks import headers_for

CONNECTIONS = 16


@dataclass
class Load:
    """What is sent where, and what came of it."""

    port: int
    path: str
    secret: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    acknowledged: list[str] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    refused: int = 0

    async def deliver(self, dues: Iterator[tuple[int, float]], end: float) -> None:
        """One connection: takes the next push that is due until the time is over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for number, due in dues:
                now = time.monotonic()
                if now >= end or due >= end:
                    return
                if due > now:
                    await asyncio.sleep(due - now)
                message = f"msg_{self.run}_{number}"
                writer.write(self.request(message, number))
                good = await _answer(reader)
                self.lateness.append(time.monotonic() - due)
                if good:
                    self.acknowledged.append(message)
                else:
                    self.refused += 1
        finally:
            writer.close()
            await writer.wait_closed()

    def request(self, message: str, number: int) -> bytes:
        body = _body(message, number)
        signed = headers_for(secrets=[self.secret], message_id=message, timestamp=int(time.time()), body=body)
        head = [
            f"POST {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in signed.items()),
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


def _body(message: str, number: int) -> bytes:
    event = {
        "id": message,
        "kind": "in_transit",
        "at": "2026-03-10T10:00:00+08:00",
        "words": "离开【绍兴中心】，下一站【台州中心】",
        "place": "绍兴市",
    }
    data = {"waybill": f"10{number:011d}", "events": [event]}
    payload = {"type": "tracking.updated", "timestamp": "2026-03-10T10:00:00+08:00", "data": data}
    return json.dumps(payload, ensure_ascii=False).encode()


async def _answer(reader: asyncio.StreamReader) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(size)
    return head.split(b" ", 2)[1].startswith(b"2")


def _dues(begun: float, rate: int) -> Iterator[tuple[int, float]]:
    number = 0
    while True:
        yield number, begun + number / rate if rate else time.monotonic()
        number += 1


async def _all(load: Load, seconds: int, rate: int) -> float:
    begun = time.monotonic()
    dues = _dues(begun, rate)
    await asyncio.gather(*(load.deliver(dues, begun + seconds) for _ in range(CONNECTIONS)))
    return time.monotonic() - begun


def main(port: int, path: str, seconds: int, rate: int, out: Path) -> None:
    load = Load(port, path, os.environ["BENCH_SECRET"])
    took = asyncio.run(_all(load, seconds, rate))
    out.write_text("\n".join(load.acknowledged))
    answer = {
        "acknowledged": len(load.acknowledged),
        "refused": load.refused,
        "seconds": took,
        "p99_ms": 1000 * percentile(load.lateness, 0.99),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))

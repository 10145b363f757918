"""The cables of a private network: one process that carries every connection between two nodes, so that cutting needs no rights.

A node listens on 127.0.0.1 and takes connections from, and makes them to, 127.0.1.0/24 alone. Node j is reached by node i at 127.0.1.j, on a
port of that pair, and sees node i as 127.0.1.i. A cut ends the connections across it and lets in no new one until it is healed; SIGHUP: read
the cut anew.

    links.py LINKS CUT DONE     files: the links, the nodes of one half, and where the half in force is written
"""
import asyncio, json, signal, sys
from pathlib import Path

BUFFER_BYTES = 1 << 16


class Links:
    def __init__(self, cut, done):
        self.cut, self.done = cut, done
        self.half = set()
        self.open = {}

    def across(self, link):
        return (link["from"] in self.half) != (link["to"] in self.half)

    def read_cut(self):
        self.half = set(json.loads(self.cut.read_text())) if self.cut.exists() else set()
        for writer, link in list(self.open.items()):
            if self.across(link):
                writer.transport.abort()
        self.done.write_text(json.dumps(sorted(self.half)))

    async def carry(self, link, reader, writer):
        """One connection, from its first byte to its last."""
        self.open[writer] = link
        far = None
        try:
            if self.across(link):
                writer.transport.abort()
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", link["target"], local_addr=(address(link["from"]), 0))
            self.open[far] = link
            if self.across(link):
                return
            await asyncio.gather(pump(reader, far), pump(far_reader, writer))
        except OSError:
            pass
        finally:
            for end in (writer, far):
                if end:
                    self.open.pop(end, None)
                    end.transport.abort()

    async def serve(self, links):
        for link in links:
            await asyncio.start_server(lambda reader, writer, link=link: self.carry(link, reader, writer), address(link["to"]), link["port"])
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.read_cut)
        end = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
        self.read_cut()
        await end.wait()


async def pump(reader, writer):
    while data := await reader.read(BUFFER_BYTES):
        writer.write(data)
        await writer.drain()
    # One direction is over; the other may still have something to say.
    writer.write_eof()


def address(node):
    """Where a node is seen by the others."""
    return f"127.0.1.{node}"


if __name__ == "__main__":
    links, cut, done = map(Path, sys.argv[1:])
    asyncio.run(Links(cut, done).serve(json.loads(links.read_text())))

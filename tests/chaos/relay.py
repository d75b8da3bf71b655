"""A TCP relay on loopback that behaves as badly as a network can: it stops, slows down, cuts and half-closes what goes through it.

One relay stands between one agent and the collector.  All of them live on one asyncio loop in a thread of their own; the methods may be
called from any thread.
"""
import asyncio
import threading


class Loop:
    """The thread that all relays live on."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


class Relay:
    def __init__(self, loop, to_port=0):
        self.loop = loop
        self.to_port = to_port  # where it leads; may change, as the collector's port does
        self.delay_s = 0.0
        self.going = None  # an asyncio.Event: clear while nothing passes
        self.pairs = set()  # (writer to the agent, writer to the collector)
        self.server = loop.do(self._start())
        self.port = self.server.sockets[0].getsockname()[1]

    async def _start(self):
        self.going = asyncio.Event()
        self.going.set()
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _connected(self, from_agent, to_agent):
        try:
            from_collector, to_collector = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            to_agent.transport.abort()
            return
        pair = (to_agent, to_collector)
        self.pairs.add(pair)
        await asyncio.gather(self._pump(from_agent, to_collector), self._pump(from_collector, to_agent))
        self.pairs.discard(pair)
        for writer in pair:
            writer.close()

    async def _pump(self, reader, writer):
        try:
            while True:
                await self.going.wait()
                piece = await reader.read(16384)
                await self.going.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if not piece:
                    writer.write_eof()
                    return
                writer.write(piece)
                await writer.drain()
        except (OSError, RuntimeError):
            writer.transport.abort()

    async def _call(self, fn):
        fn()

    def _on_loop(self, fn):
        self.loop.do(self._call(fn))

    # What can be done to it.
    def stop_passing(self):
        self._on_loop(self.going.clear)

    def pass_again(self):
        self.delay_s = 0.0
        self._on_loop(self.going.set)

    def delay(self, seconds):
        self.delay_s = seconds

    def cut(self):
        def abort():
            for pair in self.pairs:
                for writer in pair:
                    writer.transport.abort()

        self._on_loop(abort)

    def half_close(self, towards_collector):
        def shut():
            for pair in self.pairs:
                writer = pair[1 if towards_collector else 0]
                if writer.can_write_eof() and not writer.is_closing():
                    writer.write_eof()

        self._on_loop(shut)

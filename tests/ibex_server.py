"""A small server that speaks the lab's protocol v1 with its faults; for tests, on loopback.

What it does to a round is what our rules do; what it says, and when it says nothing, is what
the lab's server does: it drops messages while it saves, its status fails meanwhile, it forgets
its games when it is restarted, it gives seats in the order of arrival, it counts a lot twice. It
announces the end before it saves the rewards. In later rounds of futarchy, its status fails for
landowners until they have declared.
"""

import argparse
import asyncio
import json
import random

from aiohttp import WSMsgType, web

from ibex_game import Game
from ibex_status import saved, status, status_fails

LOGIN = {"username": "lab", "password": "a secret of the tests"}


class Server:
    """Games in memory, REST and sockets at one port."""

    def __init__(self, saving_s=0.1, pace=1.0, cut_every=0):
        self.saving_s, self.pace, self.cut_every = saving_s, pace, cut_every
        self.games = {}
        self.sent = 0
        self.tasks = set()
        self.random = random.Random(1)

    def later(self, work):
        """Begin work that nobody waits for."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def send(self, socket, text):
        """Send, or cut the line instead, once in so many messages."""
        self.sent += 1
        try:
            if self.cut_every and self.sent % self.cut_every == 0:
                await socket.close()
            else:
                await socket.send_str(text)
        except (ConnectionError, RuntimeError):
            pass

    def app(self):
        app = web.Application()
        app.router.add_post("/api/v1/games/create-for-llm", self.create)
        app.router.add_get("/api/v1/games/status", self.status)
        app.router.add_get("/api/v1/games/data", self.data)
        app.router.add_get("/ws", self.socket)
        return app

    async def create(self, request):
        body = await request.json()
        if {name: body.get(name) for name in LOGIN} != LOGIN:
            return web.json_response({"data": {}, "message": "Login failed"}, status=401)
        number = len(self.games) + self.random.randint(1, 10_000)
        self.games[number] = Game(self, number, body["gameParameters"])
        return web.json_response({"data": {"id": number}, "status": True, "message": "created"})

    async def status(self, request):
        game = self.games.get(int(request.query["id"]))
        if game is None:
            return web.json_response({"data": {}, "message": "not found"}, status=400)
        if game.saving:
            return web.json_response({"data": {}, "message": "no phase"}, status=500)
        recovery = request.query["recovery"]
        found = recovery in game.recoveries
        if found and status_fails(game, recovery):
            return web.json_response({"data": {}, "message": {}}, status=500)
        data = {"found": found, "gameData": status(game, recovery) if found else None}
        return web.json_response({"data": data, "status": True, "message": ""})

    async def data(self, request):
        game = self.games.get(int(request.query["game_id"]))
        if game is None:
            return web.json_response({"data": {"error": "none"}})
        return web.json_response({"data": game.data() if game.over else saved(game)})

    async def socket(self, request):
        socket = web.WebSocketResponse(heartbeat=5)
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            game = self.games.get(told.get("gameId"))
            if game is None:
                await socket.send_str(json.dumps({"error": "Game not found"}))
                continue
            seat = next((s for s, other in game.sockets.items() if other is socket), None)
            await game.hear(seat, socket, told)
        return socket


async def serve(port, **options):
    """Serve until cancelled; gives the server."""
    server = Server(**options)
    runner = web.AppRunner(server.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return server, runner


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--saving", type=float, default=0.1)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--cut-every", type=int, default=0)
    given = parser.parse_args()
    options = {"saving_s": given.saving, "pace": given.pace, "cut_every": given.cut_every}
    await serve(given.port, **options)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

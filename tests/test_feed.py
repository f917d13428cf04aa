"""Feeds: batches are full, connections take one at a time, nothing is lost or given twice."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from many_wolves.speakers import Feed, Request
from small_trials import trials

REQUESTS = [Request(trial) for trial in trials(20)]


def test_a_sequence_is_a_feed_that_holds_all_there_is():
    feed = Feed.of(REQUESTS)
    assert Feed.of(feed) is feed
    assert list(feed.batches(threading.Event())) == [REQUESTS]
    halted = threading.Event()
    halted.set()
    assert list(Feed.of(REQUESTS).batches(halted)) == []


def test_a_batch_waits_for_what_follows_from_the_answers():
    feed, taken = Feed(), []
    thread = threading.Thread(target=lambda: taken.append(feed.take()))
    feed.owe(3)
    thread.start()
    feed.put(REQUESTS[:1])
    feed.settle(1)
    feed.put(REQUESTS[1:2])
    assert taken == []
    feed.put(REQUESTS[2:3])
    feed.settle(2)
    thread.join(10)
    assert taken == [REQUESTS[:3]]
    assert feed.take_now() == []


def test_a_closed_feed_gives_what_it_holds_and_then_nothing():
    feed = Feed()
    feed.put(REQUESTS[:2])
    feed.close()
    assert (feed.take(), feed.take()) == (REQUESTS[:2], [])
    dropped = Feed()
    dropped.put(REQUESTS[:2])
    dropped.close(drop=True)
    assert dropped.take() == []


def test_connections_take_each_request_once_from_whatever_thread_it_is_put():
    feed, taken = Feed(), []

    async def connection() -> None:
        while (request := await feed.next()) is not None:
            taken.append(request)
            await asyncio.sleep(0)

    async def connections() -> None:
        await asyncio.gather(*(connection() for _ in range(4)))

    with ThreadPoolExecutor(3) as pool:
        asked = pool.submit(lambda: asyncio.run(connections()))
        list(pool.map(lambda request: feed.put([request]), REQUESTS))
        feed.close()
        asked.result(10)
    assert sorted(map(id, taken)) == sorted(map(id, REQUESTS))


def test_a_connection_that_is_cancelled_leaves_its_request_to_the_others():
    async def cancelled() -> list[Request]:
        feed = Feed()
        waiting = asyncio.create_task(feed.next())
        await asyncio.sleep(0)
        feed.put(REQUESTS[:1])
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        return feed.take_now()

    assert asyncio.run(cancelled()) == REQUESTS[:1]


def test_a_request_that_is_given_back_is_the_next():
    feed = Feed.of([1, 2])
    assert feed.pop() == 1
    feed.give_back(1)
    assert [feed.pop(), feed.pop(), feed.pop()] == [1, 2, None]

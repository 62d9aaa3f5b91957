"""Searches through the API, compared with the rows."""

from __future__ import annotations

from benchmark.trust.oracle.answers import K, expected_global
from benchmark.trust.oracle.rows import live_rows
from benchmark.trust.servers import Servers

ASKED = 3


def wrong_http_answers(servers: Servers) -> list[str]:
    """Search for some indexed frames through the API; return what is not as the rows say."""
    rows = live_rows(servers.home)
    wrong = []
    for row in rows[:: max(1, len(rows) // ASKED)]:
        _, uid, number = row.key
        asked = {"sop_instance_uid": uid, "frame_number": number, "k": K, "mode": "global"}
        status, answer = servers.call("POST", "/api/v1/search/image", asked)
        if status != 200:
            wrong.append(f"a search answered {status}: {answer}")
            continue
        # The query is an indexed frame, which leaves itself out, in every collection.
        others = [other for other in rows if other.key[1:] != row.key[1:]]
        expected = expected_global(others, row.codes)
        keys = {other.entry_id: other.key for other in others}
        found = [
            (hit["collection"], hit["sop_instance_uid"], hit["frame_number"], float(hit["distance"]))
            for hit in answer["hits"]
        ]
        if found != [(*keys[hit.entry_id], hit.distance) for hit in expected]:
            wrong.append(f"a search by HTTP answered {found[:2]}..., the rows say {expected[:2]}...")
    return wrong

"""Calls scim2-tester, an independent tester of RFC 7643 and 7644, on a server: check.py ADDRESS, with the token on standard input.

Each line is the outcome of one check: a status, its name, and the reason. It ends with 1 when one of them is no success.
"""

import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server
from scim2_tester.utils import Status

headers = {"Authorization": f"Bearer {sys.stdin.readline().strip()}"}
with Client(base_url=sys.argv[1], headers=headers) as client:
    results = check_server(SyncSCIMClient(client))
for result in results:
    reason = " ".join(str(result.reason or "").split())
    print(result.status.name, result.title, reason, sep="\t")
sys.exit(0 if results and all(r.status == Status.SUCCESS for r in results) else 1)

# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the packet tests; harness.py says how to use them."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


@pytest.fixture
def gateway(request):
    """A fresh data plane with one worker; a broken test does not hide behind a leak."""
    g = harness.Gateway()
    yield g
    if request.node.stash.get(failed, False):
        g.harness.kill()
    else:
        g.stop()


failed = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call" and outcome.get_result().failed:
        item.stash[failed] = True

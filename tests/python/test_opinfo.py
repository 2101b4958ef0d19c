"""No operator that passed all of its frozen cases may stop passing. OPINFO=all runs every case, not a spread of them."""
import os
import sys

import pytest

from conftest import ROOT, SHARED

sys.path.insert(0, str(ROOT / "tests/python/opinfo"))
import replay  # noqa: E402

FOLDER = SHARED / "data/opinfo"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/opinfo is absent")
def test_whole_operators_stay_whole():
    player = replay.Replay(FOLDER)
    whole = {name for name, (passed, total) in replay.read_board().items() if passed == total}
    broken = {}
    for name, group in player.cases(None if os.environ.get("OPINFO") == "all" else 6).items():
        if name in whole:
            bad = player.failures(group)
            if bad:
                broken[name] = bad[0]
    assert not broken

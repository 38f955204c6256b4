# SPDX-License-Identifier: GPL-2.0
"""For test programs in Python; tap.sh is for those in shell."""

import sys
import traceback


def conclude(tests):
    """Run them, or those whose names begin as the command line says; ends with "N passed, N failed"."""
    failed = 0
    chosen = [test for test in tests if not sys.argv[1:] or test.__name__.startswith(tuple(sys.argv[1:]))]
    for test in chosen:
        try:
            test()
            print(f'ok {test.__name__}', flush=True)
        except Exception:   # pylint: disable=broad-except
            failed += 1
            print(f'not ok {test.__name__}\n{traceback.format_exc()}', flush=True)
    print(f'{len(chosen) - failed} passed, {failed} failed')
    sys.exit(failed > 0)

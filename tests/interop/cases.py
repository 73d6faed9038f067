"""Cases with names, counted."""

import sys
import traceback


class Cases:
    def __init__(self, client):
        self.client = client
        self.passed = 0
        self.failed = 0

    def case(self, name):
        def run(body):
            try:
                body()
            except Exception:
                self.failed += 1
                print(f"{self.client}  FAIL  {name}")
                traceback.print_exc(limit=4, file=sys.stdout)
            else:
                self.passed += 1
                print(f"{self.client}  ok    {name}")

        return run

    def end(self):
        print(f"{self.client}: {self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)

"""What runs on one's own machine, and is never deployed."""

import os.path

INTERRUPTED = 130  # what a shell gives for a program that Ctrl-C ended
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMAND = os.path.join(ROOT, ".venv", "bin", "sms-watch")
# In the checkout that this lies in.
WHAT_TO_TYPE = "type: " + COMMAND
if not os.path.exists(COMMAND):
    WHAT_TO_TYPE = "type: cd " + ROOT + " && make demo, and then " + COMMAND

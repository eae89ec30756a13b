"""Graph or ONNX to numbers: the only room that imports ONNX Runtime.

ONNX Runtime would collect what machine this is and what is run on it, queue that in files below
the user's folders, and send it. netc tells nobody anything: that is switched off here, before any
module of this room imports it, unless the user has decided.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

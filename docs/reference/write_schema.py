"""Write the published JSON Schema of `assessment.json` beside this file: `python docs/reference/write_schema.py`."""

import json
from pathlib import Path

from facialpalsy.assessment import json_schema

path = Path(__file__).with_name("assessment.schema.json")
path.write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")

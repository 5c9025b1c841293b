"""The groups of options, in the order in which help texts and docs list them."""

IO = "Input and output"
CONFIGURATION = "Configuration"
EVENTS = "Events"
COMPATIBILITY = "Compatibility"
DUPLICATES = "Duplicates"
ROWS = "Rows"
RUNS = "Which runs"
WAREHOUSE = "Warehouse"
WORK = "How the work is done"
EMR = "Amazon EMR"
MESSAGES = "Messages"
GROUPS = (IO, CONFIGURATION, EVENTS, COMPATIBILITY, DUPLICATES, ROWS, RUNS, WAREHOUSE, WORK, EMR, MESSAGES)

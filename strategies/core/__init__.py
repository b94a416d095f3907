"""A stage of trials as plain data: states, asks computed and adopted, stages in order, dumps."""

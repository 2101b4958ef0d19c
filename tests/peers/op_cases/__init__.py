# The case lists of make_ops.py; every module has add_cases(store).

"""Marks for test functions: which are long, which run alone, which need Braid itself, which measure memory, which run once per
case."""


def long(function):
    """Only runs with --long."""
    function.long = True
    return function


def alone(function):
    """Measures time, a rate or CPU, or keeps every core busy: runs when no other test does."""
    function.alone = True
    return function


def braid_only(function):
    """Asks braidctl, or for something that the yardstick proxy does not do."""
    function.braid_only = True
    return function


def memory(function):
    """Looks at resident memory, which tells nothing under AddressSanitizer: it keeps what is freed."""
    function.memory = True
    return function


def limit(seconds):
    """Instead of the runner's own limit for a test."""
    def mark(function):
        function.limit = seconds
        return function
    return mark


def cases(**named):
    """Runs the test once per keyword, with its value as second argument (several, if it is a tuple)."""
    def mark(function):
        function.cases = named
        return function
    return mark


def expand(function):
    """Name and arguments of each run of a test function."""
    if not hasattr(function, "cases"):
        return [(function.__name__, ())]
    return [(f"{function.__name__}[{name}]", value if isinstance(value, tuple) else (value,))
            for name, value in function.cases.items()]

"""The corpora of the fuzzers, tests/fuzz/corpus/NAME, are written by the scripts make_NAME_corpus.py."""
import pathlib

CORPORA = pathlib.Path(__file__).resolve().parent / "corpus"


def write(name, seeds):
    """Replaces what is there by the seeds, pairs of a file's name and its bytes."""
    folder = CORPORA / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for file, seed in seeds:
        (folder / file).write_bytes(seed)
